"""Mails over real connections on loopback: what the server said is what we say, and no TLS means no mail."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from socket import create_server

import pytest

from procmon.config import SmtpSettings
from procmon.errors import DeliveryError, SettingsError
from procmon.send.message import build, message_id
from procmon.send.smtp import Outcome, connect, deliver
from tests.smtp_server import DROP, PASSWORD, USER, Authority, BareServer, MailServer, server_context
from tests.unit.test_send_message import DATE, HEADLINES, PAGE, check_parts

pytestmark = pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS:UserWarning:aiosmtpd"  # said of a server that is all TLS
)

SENDER = "procmon@haiphong.gov.vn"
AN = "an@haiphong.gov.vn"
BINH = "binh@haiphong.gov.vn"

Connecting = dict[str, object]


def mail_for(recipient: str) -> bytes:
    return build(
        PAGE,
        sender=SENDER,
        recipient_email=recipient,
        recipient_name="Nguyễn Thị Ánh",
        message_id=message_id(recipient, SENDER),
        date=DATE,
    )


def settings_for(server: MailServer | BareServer, **changes: object) -> SmtpSettings:
    plain: Connecting = {"host": "localhost", "port": server.port, "security": "none", "timeout": 5}
    return SmtpSettings.model_validate(plain | {"data_timeout": 5} | changes)


def send(server: MailServer | BareServer, recipient: str = AN, **changes: object) -> Outcome:
    return deliver(mail_for(recipient), sender=SENDER, recipient=recipient, smtp=settings_for(server, **changes))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def plain() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


# --- mails arrive ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_arrives_byte_for_byte_over_verified_tls_with_a_login(authority: Authority, security: str) -> None:
    with MailServer(security, authority.certificate_for("localhost"), login=True) as server:
        outcome = send(server, security=security, ca_file=str(authority.ca_file), username=USER, password=PASSWORD)
    assert outcome == Outcome("sent", "250 2.0.0 taken")
    [received] = server.script.mails
    assert (received.sender, received.recipient) == (SENDER, AN)
    assert received.mime == mail_for(AN)
    assert server.script.n_logins == 1
    check_parts(received.mime, HEADLINES)


def test_lines_that_begin_with_a_dot_arrive_as_they_are(plain: MailServer) -> None:
    mime = b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n"
    assert deliver(mime, sender=SENDER, recipient=AN, smtp=settings_for(plain)).status == "sent"
    assert plain.script.mails[0].mime == mime


def test_many_mails_go_over_one_connection(plain: MailServer) -> None:
    with connect(settings_for(plain)) as session:
        for n in range(5):
            assert session.deliver(mail_for(AN), SENDER, f"{n}@haiphong.gov.vn").status == "sent"
    assert [m.recipient for m in plain.script.mails] == [f"{n}@haiphong.gov.vn" for n in range(5)]
    assert plain.script.n_connections == 1


# --- the status is what the server said -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("451 4.7.1 greylisted", "deferred"),
        ("452 4.2.2 mailbox full", "deferred"),
        ("550 5.1.1 no such user", "failed"),
        ("552 5.3.4 too big", "failed"),
        ("530 5.7.0 must authenticate", "failed"),
    ],
)
@pytest.mark.parametrize("after_text", [False, True])
def test_one_refusal_of_three_mails_touches_one_mail(
    plain: MailServer, reply: str, status: str, after_text: bool
) -> None:
    (plain.script.answers if after_text else plain.script.replies)[BINH] = reply
    with connect(settings_for(plain)) as session:
        outcomes = [session.deliver(mail_for(to), SENDER, to) for to in (AN, BINH, AN)]
    assert [outcome.status for outcome in outcomes] == ["sent", status, "sent"]
    assert outcomes[1].reply == reply
    assert [m.recipient for m in plain.script.mails] == [AN, AN]
    assert plain.script.n_connections == 1


def test_a_mail_over_the_servers_size_is_refused_before_its_text_is_sent() -> None:
    with MailServer(size=100) as server:
        outcome = send(server)
    assert outcome.status == "failed"
    assert outcome.reply.startswith("552 ")
    assert b"DATA" not in server.script.wire


def test_an_answer_lost_after_the_final_dot_is_unknown_and_the_session_goes_on(plain: MailServer) -> None:
    plain.script.answers[BINH] = DROP
    with connect(settings_for(plain)) as session:
        outcomes = [session.deliver(mail_for(to), SENDER, to) for to in (AN, BINH, AN)]
    assert [outcome.status for outcome in outcomes] == ["sent", "unknown", "sent"]
    assert outcomes[1].reply.startswith("no answer after the mail's text: ")
    assert [m.recipient for m in plain.script.mails] == [AN, BINH, AN]  # it was taken: unknown, not deferred
    assert plain.script.n_connections == 2


def test_a_line_lost_before_the_text_is_deferred_and_the_session_goes_on(plain: MailServer) -> None:
    plain.script.replies[BINH] = DROP
    with connect(settings_for(plain)) as session:
        outcomes = [session.deliver(mail_for(to), SENDER, to) for to in (AN, BINH, AN)]
    assert [outcome.status for outcome in outcomes] == ["sent", "deferred", "sent"]
    assert outcomes[1].reply.startswith("no mail was handed over: ")
    assert [m.recipient for m in plain.script.mails] == [AN, AN]


def test_a_slow_answer_is_waited_for_as_long_as_data_timeout_says(plain: MailServer) -> None:
    plain.script.delay = 2.5
    assert send(plain, timeout=1.5, data_timeout=30).status == "sent"
    outcome = send(plain, timeout=5, data_timeout=0.4)
    assert outcome.status == "unknown"
    assert "timed out" in outcome.reply


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ({"MAIL": "451 4.3.0 later"}, "deferred"),
        ({"MAIL": "550 5.7.1 sender not welcome"}, "failed"),
        ({"MAIL": DROP}, "deferred"),
        ({"MAIL": "huh?"}, "deferred"),
        ({"DATA": "451 4.3.0 later"}, "deferred"),
        ({"DATA": "554 5.5.0 no"}, "failed"),
        ({"DATA": DROP}, "deferred"),
        ({"DATA": "250 what text?"}, "deferred"),
        ({"DATA": "354 go on", ".": DROP}, "unknown"),
        ({"DATA": "354 go on", ".": "huh?"}, "unknown"),
        ({"DATA": "354 go on", ".": "354 go on"}, "unknown"),
        ({"DATA": "354 go on", ".": "250 " + "x" * 10_000}, "unknown"),
        ({"DATA": "354 go on", ".": "421 4.3.2 going down"}, "deferred"),
        ({"DATA": "354 go on", ".": "250 OK"}, "sent"),
    ],
)
def test_every_answer_at_every_step_has_one_status(replies: dict[str, str], status: str) -> None:
    with BareServer(replies) as server:
        outcome = send(server)
    assert outcome.status == status
    assert outcome.reply.isprintable()


def test_a_connection_that_idled_out_between_two_mails_is_made_again() -> None:
    with (
        BareServer({"DATA": "354 go on", ".": "250 OK", "RSET": "421 4.4.2 idle too long"}) as server,
        connect(settings_for(server)) as session,
    ):
        assert [session.deliver(mail_for(AN), SENDER, AN).status for _ in range(3)] == ["sent"] * 3
    assert server.n_connections == 3


# --- no server, or one that will not ---------------------------------------------------------------------------


def test_a_server_that_is_down_defers_every_mail_and_is_asked_once() -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", timeout=2)
    with connect(smtp) as session:
        outcomes = {session.deliver(mail_for(to), SENDER, to) for to in (AN, BINH)}
    [outcome] = outcomes
    assert outcome.status == "deferred"
    assert "refused" in outcome.reply


def test_a_server_that_says_nothing_defers_after_the_timeout_once() -> None:
    with BareServer({}, greeting="") as server, connect(settings_for(server, timeout=0.3)) as session:
        outcomes = [session.deliver(mail_for(AN), SENDER, AN) for _ in range(20)]
    assert {outcome.status for outcome in outcomes} == {"deferred"}
    assert server.n_connections == 1


def test_a_busy_server_defers_and_one_that_turns_us_away_is_said() -> None:
    with BareServer({}, greeting="421 4.3.2 too busy") as server:
        assert send(server) == Outcome("deferred", "no mail was handed over: 421 4.3.2 too busy")
    with (
        BareServer({}, greeting="554 5.7.1 no service for you") as server,
        pytest.raises(DeliveryError, match=r"localhost:\d+ turns us away: 554 5\.7\.1 no service") as caught,
    ):
        send(server)
    assert caught.value.remedy


def test_no_host_and_a_host_that_is_none_are_said() -> None:
    with pytest.raises(DeliveryError, match=r"smtp\.host is empty"):
        connect(SmtpSettings())
    with pytest.raises(DeliveryError, match=r"'mail\.\.vn' is not a host name"):
        deliver(b"", sender=SENDER, recipient=AN, smtp=SmtpSettings(host="mail..vn"))


def test_an_address_outside_the_allowed_domains_never_reaches_the_server(plain: MailServer) -> None:
    with pytest.raises(SettingsError, match=r"may not go to gmail\.com"):
        send(plain, "an@gmail.com", allowed_domains=["haiphong.gov.vn"])
    with pytest.raises(SettingsError):
        send(plain, "an@b.vn>\r\nRCPT TO:<c@d.vn")
    assert plain.script.n_connections == 0


# --- verified TLS or no mail ----------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["another name", "self-signed", "expired", "unknown authority"])
def test_a_certificate_that_does_not_verify_sees_no_login_and_no_mail(
    authority: Authority, security: str, fault: str
) -> None:
    certificate = {
        "another name": lambda: authority.certificate_for("mail.example.vn"),
        "self-signed": lambda: authority.self_signed("localhost"),
        "expired": lambda: authority.certificate_for("localhost", days_left=-1),
        "unknown authority": lambda: authority.certificate_for("localhost"),
    }[fault]()
    ca_file = "" if fault == "unknown authority" else str(authority.ca_file)
    with (
        MailServer(security, certificate, login=True) as server,
        pytest.raises(DeliveryError, match=r"localhost:\d+: its certificate cannot be verified: ") as caught,
    ):
        send(server, security=security, ca_file=ca_file, username=USER, password=PASSWORD)
    assert "smtp.ca_file" in caught.value.remedy
    assert_nothing_but_greetings(server)


def test_a_server_without_starttls_gets_no_mail_and_no_login_in_the_clear(plain: MailServer) -> None:
    with pytest.raises(DeliveryError, match=r"does not offer STARTTLS") as caught:
        send(plain, security="starttls", username=USER, password=PASSWORD)
    assert caught.value.remedy
    assert_nothing_but_greetings(plain)


def assert_nothing_but_greetings(server: MailServer) -> None:
    said = {line.split()[0].upper() for line in bytes(server.script.wire).splitlines() if line.strip()}
    assert said <= {b"EHLO", b"STARTTLS"}
    assert (server.script.n_logins, server.script.mails) == (0, [])


def test_a_server_that_refuses_starttls_gets_no_mail_either() -> None:
    with (
        BareServer({"EHLO": "250-bare\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 not now"}) as server,
        connect(settings_for(server, security="starttls")) as session,
    ):
        assert session.deliver(mail_for(AN), SENDER, AN).status == "deferred"


def test_implicit_tls_to_a_port_that_speaks_plainly_is_said(plain: MailServer) -> None:
    with pytest.raises(DeliveryError, match=r"no TLS connection") as caught:
        send(plain, security="tls")
    assert "465" in caught.value.remedy


def test_a_server_that_speaks_old_tls_only_gets_no_mail(authority: Authority) -> None:
    context = server_context(authority.certificate_for("localhost"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old TLS is what this test is about
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        BareServer({}, context=context) as server,
        pytest.raises(DeliveryError, match=r"no TLS connection") as caught,
    ):
        send(server, security="tls", ca_file=str(authority.ca_file))
    assert "TLS 1.2" in caught.value.remedy


def test_a_line_that_breaks_while_tls_begins_is_trouble_that_may_pass() -> None:
    with BareServer({"EHLO": "250-bare\r\n250 STARTTLS", "STARTTLS": f"220 go on{DROP}"}) as server:
        assert send(server, security="starttls").status == "deferred"


def test_a_file_that_holds_no_certificates_is_said(plain: MailServer, tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    for name in (str(empty), str(tmp_path / "absent.pem")):
        with pytest.raises(DeliveryError, match=r"smtp\.ca_file: ") as caught:
            send(plain, security="starttls", ca_file=name)
        assert caught.value.remedy
    assert plain.script.n_connections == 0


# --- logins and their secrets ---------------------------------------------------------------------------------


@pytest.fixture
def secured(authority: Authority) -> Iterator[MailServer]:
    with MailServer("starttls", authority.certificate_for("localhost"), login=True) as server:
        yield server


def test_a_refused_login_is_said_without_its_password_and_not_tried_again(
    authority: Authority, secured: MailServer
) -> None:
    smtp = settings_for(
        secured, security="starttls", ca_file=str(authority.ca_file), username=USER, password="canary-wrong"
    )
    with connect(smtp) as session:
        for _ in range(10):
            with pytest.raises(DeliveryError, match=r"refuses the login of procmon: 535 ") as caught:
                session.deliver(mail_for(AN), SENDER, AN)
            assert "canary" not in f"{caught.value}{caught.value.remedy}{smtp!r}"
            assert caught.value.__suppress_context__
    assert secured.script.n_logins <= 3  # one for each way to log in that the server offers
    assert secured.script.mails == []


def test_the_password_comes_from_a_file_or_a_command(authority: Authority, secured: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nsecond line\n")
    tls: Connecting = {"security": "starttls", "ca_file": str(authority.ca_file), "username": USER}
    assert send(secured, **tls, password_file=str(file)).status == "sent"
    assert send(secured, **tls, password_command=f"cat '{file}'").status == "sent"
    assert send(secured, **tls, password=PASSWORD, password_command="false").status == "sent"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, r"there is no password"),
        ({"password_file": "/nowhere/password"}, r"smtp\.password_file: /nowhere/password cannot be read"),
        ({"password_command": "sh -c 'echo canary; exit 3'"}, r"gave no password: it ended with 3$"),
        ({"password_command": "true"}, r"gave no password: it ended with 0$"),
        ({"password_command": "/nowhere/command"}, r"cannot be run"),
        ({"password_command": "unclosed 'quote"}, r"cannot be run"),
        ({"password_command": "sleep 60", "timeout": 2}, r"no end within 2 s"),
        ({"password": "mật khẩu canary"}, r"outside ASCII"),
    ],
)
def test_a_password_that_cannot_be_had_is_said_without_a_try(
    authority: Authority, secured: MailServer, changes: Connecting, said: str
) -> None:
    with pytest.raises(DeliveryError, match=said) as caught:
        send(secured, security="starttls", ca_file=str(authority.ca_file), username=USER, **changes)
    assert caught.value.remedy
    assert "canary" not in f"{caught.value}{caught.value.remedy}"
    assert secured.script.n_logins == 0


def test_no_login_goes_over_an_open_line(plain: MailServer) -> None:
    with pytest.raises(DeliveryError, match=r'smtp\.security = "none"'):
        send(plain, username=USER, password=PASSWORD)
    assert_nothing_but_greetings(plain)


def test_a_login_that_must_wait_defers(authority: Authority, secured: MailServer) -> None:
    secured.script.login_refusal = "454 4.7.0 temporary trouble"
    tls: Connecting = {"security": "starttls", "ca_file": str(authority.ca_file)}
    outcome = send(secured, **tls, username=USER, password="wrong")
    assert outcome == Outcome("deferred", "no mail was handed over: 454 4.7.0 temporary trouble")


def test_a_server_with_no_way_to_log_in_is_said(authority: Authority, secured: MailServer) -> None:
    secured.SMTP_kwargs["auth_exclude_mechanism"] = ["PLAIN", "LOGIN"]
    tls: Connecting = {"security": "starttls", "ca_file": str(authority.ca_file)}
    with pytest.raises(DeliveryError, match=r"refuses the login of procmon"):
        send(secured, **tls, username=USER, password=PASSWORD)
    assert secured.script.mails == []
