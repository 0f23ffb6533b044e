"""The mail of a page: its parts, its headers, its bytes."""

from __future__ import annotations

import html as html_escapes
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage

import pytest

from procmon.errors import DeliveryError, SettingsError
from procmon.send.message import build, message_id
from procmon.tables import Image, Page

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
HEADLINES = {
    "Thời gian giải quyết giảm": "31,4 %",
    "Hồ sơ đúng hạn": "1.907 / 2.285 (83,47 %)",
    "Thủ tục phi địa giới": "12 < 40 & tăng",
}
PAGE = Page(
    html="<p>page</p>",
    subject="Báo cáo tháng 11/2026: thời gian giải quyết thủ tục hành chính của thành phố Hải Phòng",
    mail_html="<html lang='vi'><body>"
    + "".join(f"<p><b>{k}</b>: {html_escapes.escape(v)}</p>\n" for k, v in HEADLINES.items())
    + '<img src="cid:trend" alt="xu hướng" width="560"><img width="1" src=\'cid:due_soon\' alt="">'
    + "<p>"
    + "dài " * 1000
    + "</p></body></html>",
    mail_text="".join(f"{k}: {v}\n" for k, v in HEADLINES.items()) + ".\n..hai chấm\nFrom đầu dòng\n",
    images=(Image("trend", PNG, "xu hướng", 560, 280), Image("due_soon", PNG, "", 560, 280)),
    headlines=HEADLINES,
)
DATE = datetime(2026, 11, 22, 7, 0, tzinfo=timezone(timedelta(hours=7)))
SENDER = "procmon@haiphong.gov.vn"


def mail_of(
    page: Page = PAGE, *, name: str = "Nguyễn Thị Ánh", sender: str = SENDER, reply_to: str = "", key: str = "k"
) -> bytes:
    return build(
        page,
        sender=sender,
        recipient_email="anh@haiphong.gov.vn",
        recipient_name=name,
        message_id=message_id(key, SENDER),
        date=DATE,
        reply_to=reply_to,
    )


def parsed(mime: bytes) -> EmailMessage:
    mail = message_from_bytes(mime, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


def check_parts(mime: bytes, headlines: Mapping[str, str]) -> None:
    """Both texts hold every headline figure, and each picture of the HTML is there."""
    mail = parsed(mime)
    plain, html = mail.get_body(["plain"]), mail.get_body(["html"])
    assert plain is not None
    assert html is not None
    seen = html_escapes.unescape(re.sub(r"<[^>]+>", "", html.get_content()))
    for label, figure in headlines.items():
        for text in (plain.get_content(), seen):
            assert label in text
            assert figure in text
    pictures = {p["Content-ID"]: p for p in mail.walk() if p.get_content_maintype() == "image"}
    wanted = re.findall(r"src=[\"']cid:([^\"']+)", html.get_content())
    assert {f"<{name}>" for name in wanted} == set(pictures)
    for picture in pictures.values():
        assert picture.get_content_disposition() == "inline"
        assert picture.get_content().startswith(b"\x89PNG")


def test_both_texts_hold_the_headlines_and_every_picture_resolves() -> None:
    check_parts(mail_of(), HEADLINES)


def test_the_texts_come_out_as_they_went_in() -> None:
    mail = parsed(mail_of())
    plain = mail.get_body(["plain"])
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == PAGE.mail_text
    [picture, _] = [p for p in mail.walk() if p.get_content_maintype() == "image"]
    assert picture.get_content() == PNG
    assert picture.get_filename() == "trend.png"


def test_the_layout_is_alternative_of_text_and_related_html() -> None:
    assert [part.get_content_type() for part in parsed(mail_of()).walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "image/png",
    ]
    bare = replace(PAGE, images=(), mail_html="<p>x</p>")
    assert [part.get_content_type() for part in parsed(mail_of(bare)).walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_the_headers_say_what_an_automatic_mail_must_say() -> None:
    mail = message_from_bytes(mail_of(reply_to="tiep-nhan@haiphong.gov.vn"))
    assert {name: mail[name] for name in mail if name not in ("To", "Subject", "Content-Type")} == {
        "Date": "Sun, 22 Nov 2026 07:00:00 +0700",
        "Message-ID": message_id("k", SENDER),
        "From": SENDER,
        "Reply-To": "tiep-nhan@haiphong.gov.vn",
        "List-Id": "<procmon.haiphong.gov.vn>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "vi",
        "MIME-Version": "1.0",
    }
    assert "Reply-To" not in message_from_bytes(mail_of())


def test_subject_and_name_are_read_as_they_were_written() -> None:
    mail = message_from_bytes(mail_of(name="Nguyễn Thị Ánh, “Trưởng phòng” một cửa <liên thông> và phi địa giới"))
    [(subject, _)] = decode_header(mail["Subject"])
    assert subject.decode() == PAGE.subject
    (name, charset), (address, _) = decode_header(mail["To"])
    assert charset == "utf-8"
    assert name.decode() == "Nguyễn Thị Ánh, “Trưởng phòng” một cửa <liên thông> và phi địa giới"
    assert address.strip() == b"<anh@haiphong.gov.vn>"


@pytest.mark.parametrize("name", ['Nguyen, "An" \\ (HP)', "An", "x" * 200, "Ánh, <b@c.vn>", ""])
def test_a_name_never_becomes_a_second_address(name: str) -> None:
    [address] = parsed(mail_of(name=name))["To"].addresses
    assert address.addr_spec == "anh@haiphong.gov.vn"
    assert address.display_name.replace(" ", "") == name.replace(" ", "")  # the parser puts spaces between words


def test_equal_arguments_give_equal_bytes_and_another_delivery_has_other_ids() -> None:
    assert mail_of() == mail_of()
    first, second = parsed(mail_of()), parsed(mail_of(key="another"))
    assert first["Message-ID"] != second["Message-ID"]
    ids = [{p["Content-ID"] for p in mail.walk() if p["Content-ID"]} for mail in (first, second)]
    assert not ids[0] & ids[1]


def test_the_message_id_is_the_same_for_the_same_delivery() -> None:
    assert message_id("city||2026-11|an@b.vn|1", SENDER) == message_id("city||2026-11|an@b.vn|1", SENDER)
    assert re.fullmatch(r"<[0-9a-f]{40}@haiphong\.gov\.vn>", message_id("thành phố\n", SENDER))


def test_the_bytes_are_seven_bit_with_crlf_and_short_lines() -> None:
    mime = mail_of(replace(PAGE, mail_text="một\rhai\nba\r\nbốn " + "\0" + "dài" * 2000, subject="dài " * 300))
    assert mime.isascii()
    assert b"\0" not in mime
    assert mime.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mime)
    assert max(map(len, mime.split(b"\r\n"))) <= 998
    plain = parsed(mime).get_body(["plain"])
    assert plain is not None
    assert plain.get_content().startswith("một\r\nhai\r\nba\r\nbốn ")


@pytest.mark.parametrize("bad", ["x\r\nBcc: c@d.vn", "x\u2028y", "=?UTF-8?Q?=0A?=Bcc: x@y"])
def test_hostile_text_is_refused_before_there_is_a_mail(bad: str) -> None:
    with pytest.raises(SettingsError, match=r"the subject"):
        mail_of(replace(PAGE, subject=bad))
    with pytest.raises(SettingsError, match=r"name of recipient anh@haiphong\.gov\.vn"):
        mail_of(name=bad)
    with pytest.raises(SettingsError):
        mail_of(sender=bad)
    with pytest.raises(SettingsError):
        mail_of(reply_to=bad)


def test_a_picture_that_is_not_there_is_no_mail() -> None:
    with pytest.raises(DeliveryError, match=r"'due_soon'"):
        mail_of(replace(PAGE, images=PAGE.images[:1]))


def test_a_callers_mistake_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"time zone"):
        build(
            PAGE,
            sender=SENDER,
            recipient_email="a@b.vn",
            recipient_name="",
            message_id=message_id("k", SENDER),
            date=datetime(2026, 11, 22),
        )
    with pytest.raises(ValueError, match=r"Message-ID"):
        build(PAGE, sender=SENDER, recipient_email="a@b.vn", recipient_name="", message_id="x\r\ny", date=DATE)
    with pytest.raises(ValueError, match=r"cannot name a picture"):
        mail_of(replace(PAGE, images=(*PAGE.images, Image('a"; x', PNG, "", 1, 1))))
