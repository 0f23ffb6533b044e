"""A conversation with the mail server, and what it said.

One recipient a transaction. A delivery's status is what the server said, and it tells three troubles apart:

    the mail is refused             Outcome "failed" (5xx), or "deferred" (4xx)
    the connection fails or breaks  Outcome "deferred" before the text's final dot, "unknown" after it
    the server as a whole will not  DeliveryError: no verified TLS, no STARTTLS, login refused

There is no mail without verified TLS (but on loopback, security = "none"), and no login outside TLS at all.
"""

from __future__ import annotations

import re
import shlex
import smtplib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from procmon.config import SmtpSettings
from procmon.errors import DeliveryError
from procmon.send.headers import check_address

Status = Literal["sent", "deferred", "failed", "unknown"]

LONGEST_REPLY = 500

_REFUSALS: dict[int, Status] = {4: "deferred", 5: "failed"}
_ANSWERS: dict[int, Status] = {2: "sent", **_REFUSALS}


@dataclass(frozen=True)
class Outcome:
    """What became of one mail: its status, and the server's words (or ours, where it said nothing)."""

    status: Status
    reply: str


def connect(smtp: SmtpSettings) -> Session:
    """A session with the server of `smtp`; the connection is made when the first mail goes.

    Raises: DeliveryError if no server is set.
    """
    if not smtp.host:
        raise DeliveryError(
            "smtp.host is empty: there is no server to send by",
            remedy="Set smtp.host; until then mails are files in outbox/.",
        )
    return Session(smtp)


def deliver(mime: bytes, *, sender: str, recipient: str, smtp: SmtpSettings) -> Outcome:
    """One mail over a connection of its own; see `Session.deliver`."""
    with connect(smtp) as session:
        return session.deliver(mime, sender, recipient)


class Session:
    """Many mails over one connection, which is made again where it was lost.

    A server that cannot be reached, or will not have us, is asked once a session: every further mail meets the
    same trouble at once, so that no queue waits out a timeout for each mail and no account is locked.
    """

    def __init__(self, smtp: SmtpSettings) -> None:
        self._smtp = smtp
        self._server: smtplib.SMTP | None = None
        self._trouble: Exception | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take leave of the server; what it says to that changes nothing."""
        server, self._server = self._server, None
        if server is not None:
            try:
                server.quit()
            except OSError:
                server.close()

    def deliver(self, mime: bytes, sender: str, recipient: str) -> Outcome:
        """Hand one mail to the server.

        Args:
            mime: the mail, as `message.build` made it (CRLF, 7-bit).
            sender: envelope sender, to which bounces go.
            recipient: the one recipient.

        Raises: DeliveryError if the server as a whole will not (the mail was not offered and may stay queued);
            SettingsError if an address is none, or of a domain outside smtp.allowed_domains.
        """
        check_address(sender, ())
        check_address(recipient, self._smtp.allowed_domains)
        try:
            server = self._ready()
            refusal = _offer(server, sender, recipient, len(mime))
            if refusal is not None:
                return refusal
            _set_timeout(server, self._smtp.data_timeout)
            server.send(re.sub(rb"(?m)^\.", b"..", mime) + b".\r\n")
        except OSError as error:  # the family of smtplib's errors, too; the final dot did not leave this machine
            self._drop()
            return Outcome("deferred", f"no mail was handed over: {_said(error)}")
        return self._answer(server)

    def _answer(self, server: smtplib.SMTP) -> Outcome:
        """The answer to the final dot: from here on the mail may have been taken, whatever we learn of it."""
        try:
            code, reply = server.getreply()
        except OSError as error:
            self._drop()
            return Outcome("unknown", f"no answer after the mail's text: {_said(error)}")
        if code // 100 not in _ANSWERS:
            self._drop()
            return Outcome("unknown", f"no clear answer after the mail's text: {_spoken(code, reply)}")
        return Outcome(_ANSWERS[code // 100], _spoken(code, reply))

    def _ready(self) -> smtplib.SMTP:
        """The connection, ready for a new mail."""
        if self._server is not None and not self._is_alive(self._server):
            self._drop()
        if self._trouble is not None:
            raise self._trouble
        if self._server is None:
            try:
                self._server = self._open()
            except (DeliveryError, OSError) as trouble:
                self._trouble = trouble
                raise
        return self._server

    def _is_alive(self, server: smtplib.SMTP) -> bool:
        """Whether it still answers; RSET also clears what an earlier refusal left behind."""
        try:
            _set_timeout(server, self._smtp.timeout)
            return server.rset()[0] == 250
        except OSError:
            return False

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _open(self) -> smtplib.SMTP:
        """A connection with verified TLS, logged in.

        Raises: DeliveryError where another try cannot help until somebody changes something; OSError otherwise.
        """
        try:
            return _greet(self._smtp)
        except (OSError, UnicodeError) as error:
            fault = _fault(error, self._smtp)
            if fault is None:
                raise
            raise fault from error


def _greet(smtp: SmtpSettings) -> smtplib.SMTP:
    context = _tls_context(smtp)
    server = (
        smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=smtp.timeout, context=context)
        if smtp.security == "tls"
        else smtplib.SMTP(smtp.host, smtp.port, timeout=smtp.timeout)
    )
    try:
        if smtp.security == "starttls":
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        _log_in(server, smtp)
    except BaseException:
        server.close()
        raise
    return server


def _fault(error: Exception, smtp: SmtpSettings) -> DeliveryError | None:
    """What is wrong with server or settings, if `error` shows it; None for trouble that may pass."""
    place = f"mail server {smtp.host}:{smtp.port}"
    match error:
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():  # which of them, OpenSSL decides
            return None
        case ssl.SSLCertVerificationError():
            return DeliveryError(
                f"{place}: its certificate cannot be verified: {error.verify_message}",
                remedy="Set smtp.host to the certificate's name, smtp.ca_file to the authority that signed it.",
            )
        case ssl.SSLError():
            return DeliveryError(
                f"{place}: no TLS connection: {error.reason or error}",
                remedy='Check port and security: 587 with "starttls", 465 with "tls"; TLS 1.2 is the least.',
            )
        case smtplib.SMTPNotSupportedError():
            return DeliveryError(
                f"{place} does not offer STARTTLS; nothing was sent in the clear",
                remedy='Use a port that offers it (587), or smtp.security = "tls" with port 465.',
            )
        case smtplib.SMTPResponseException() if error.smtp_code // 100 == 5:
            return DeliveryError(
                f"{place} turns us away: {_said(error)}",
                remedy="Ask whoever runs the server what it expects of this machine.",
            )
        case UnicodeError():
            return DeliveryError(f"smtp.host: {smtp.host!r} is not a host name", remedy="Correct smtp.host.")
    return None


def _offer(server: smtplib.SMTP, sender: str, recipient: str, n_bytes: int) -> Outcome | None:
    """Sender, recipient and DATA; the server's refusal, or None where it waits for the text.

    Raises: OSError if the connection breaks or the server talks nonsense.
    """
    size = f" SIZE={n_bytes}" if server.has_extn("size") else ""
    steps = ((f"MAIL FROM:<{sender}>{size}", 2), (f"RCPT TO:<{recipient}>", 2), ("DATA", 3))
    for command, wanted in steps:
        code, reply = server.docmd(command)
        if code // 100 in _REFUSALS:
            return Outcome(_REFUSALS[code // 100], _spoken(code, reply))
        if code // 100 != wanted:
            raise smtplib.SMTPResponseException(code, reply)
    return None


def _log_in(server: smtplib.SMTP, smtp: SmtpSettings) -> None:
    """Log in, if a user name is set.

    Raises: DeliveryError if the server refuses or the password cannot be had; OSError for trouble of the moment.
    """
    if not smtp.username:
        return
    if smtp.security == "none":
        raise DeliveryError(
            'smtp.username is set, but smtp.security = "none": a password does not go over an open line',
            remedy='Set smtp.security to "starttls" or "tls", or leave smtp.username empty.',
        )
    password = _password(smtp)
    if not (smtp.username + password).isascii():
        raise DeliveryError(
            "smtp.username or its password holds a character outside ASCII, which SMTP logins cannot carry",
            remedy="Have the account's password changed to ASCII characters.",
        )
    try:
        server.login(smtp.username, password)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as error:
        if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code // 100 == 4:
            raise
        # `from None`: the cause's frames hold the password
        raise DeliveryError(
            f"mail server {smtp.host}:{smtp.port} refuses the login of {smtp.username}:"
            f" {_said(error).replace(password, '***')}",
            remedy="Check smtp.username and its password, and that the account is neither locked nor expired.",
        ) from None


def _password(smtp: SmtpSettings) -> str:
    """The password, from the first of environment, file and command that is set; never empty."""
    password = smtp.password or _password_from_file(smtp) or _password_from_command(smtp)
    if not password:
        raise DeliveryError(
            "smtp.username is set, but there is no password",
            remedy="Set PROCMON_SMTP__PASSWORD, smtp.password_file or smtp.password_command.",
        )
    return password


def _password_from_file(smtp: SmtpSettings) -> str:
    if not smtp.password_file:
        return ""
    try:
        return _first_line(Path(smtp.password_file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DeliveryError(
            f"smtp.password_file: {smtp.password_file} cannot be read as text",
            remedy="Write the password as the file's first line, mode 600, owned by the user that sends.",
        ) from (error if isinstance(error, OSError) else None)  # a decoding error quotes what it read


def _password_from_command(smtp: SmtpSettings) -> str:
    if not smtp.password_command:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the office's own command, from its own settings, without a shell
            shlex.split(smtp.password_command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=smtp.timeout,
        )
        ended = f"it ended with {done.returncode}"
        password = _first_line(done.stdout.decode()) if done.returncode == 0 else ""
    except subprocess.TimeoutExpired:
        ended, password = f"no end within {smtp.timeout:g} s", ""
    except (OSError, ValueError):
        ended, password = "it cannot be run, or what it prints is no text", ""
    if not password:  # the command's words are not repeated: they may hold the secret
        raise DeliveryError(
            f"smtp.password_command gave no password: {ended}",
            remedy="Run the command by hand as the user that sends; its first line must be the password.",
        )
    return password


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip("\r")


def _tls_context(smtp: SmtpSettings) -> ssl.SSLContext:
    """TLS that verifies certificate and host name; smtplib's own default would verify neither."""
    try:
        return ssl.create_default_context(cafile=smtp.ca_file or None)
    except OSError as error:
        raise DeliveryError(
            f"smtp.ca_file: {smtp.ca_file} cannot be read as certificates: {error.strerror or error}",
            remedy="Set it to a file of PEM certificates, or leave it empty for the system's.",
        ) from error


def _set_timeout(server: smtplib.SMTP, seconds: float) -> None:
    if server.sock is not None:
        server.sock.settimeout(seconds)


def _said(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _spoken(error.smtp_code, error.smtp_error)
    return _printable(str(error)) or type(error).__name__


def _spoken(code: int, reply: bytes | str) -> str:
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return _printable(f"{code} {words}")


def _printable(text: str) -> str:
    """`text` on one line, cut to what the ledger keeps; a server may send anything."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_REPLY]
