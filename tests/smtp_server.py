"""Mail servers on loopback for tests: aiosmtpd with TLS, logins and scripted refusals; and a bare one for nonsense."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server, socket
from types import TracebackType
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "procmon", "canary-0f3a"

DROP = "drop the line"
"""As a scripted reply: the server says nothing and hangs up."""


@dataclass(frozen=True)
class Received:
    """A mail as the server took it."""

    sender: str
    recipient: str
    mime: bytes


@dataclass
class Handler:
    """What the server says to whom, and what it was told."""

    replies: dict[str, str] = field(default_factory=dict)  # recipient → reply to RCPT
    answers: dict[str, str] = field(default_factory=dict)  # recipient → reply to the text, or DROP
    login_refusal: str | None = None  # None: aiosmtpd's own 535
    delay: float = 0  # seconds before the answer to the text
    mails: list[Received] = field(default_factory=list)
    wire: bytearray = field(default_factory=bytearray)  # all that clients said, after TLS
    n_connections: int = 0
    n_logins: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(address, "250 OK")
        if reply == DROP:
            server.transport.abort()
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        assert len(envelope.rcpt_tos) == 1, "one recipient a transaction"
        answer = self.answers.get(envelope.rcpt_tos[0], "250 2.0.0 taken")
        await asyncio.sleep(self.delay)
        if answer == DROP or answer.startswith("2"):
            self.mails.append(Received(envelope.mail_from, envelope.rcpt_tos[0], envelope.original_content))
        if answer == DROP:
            server.transport.abort()
        return answer

    def authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, credentials: Any) -> AuthResult:
        self.n_logins += 1
        expected = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=credentials == expected, handled=False, message=self.login_refusal)


class _ListeningSMTP(SMTP):
    """aiosmtpd's server, which also keeps what comes in."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.transport is None:  # else: the same connection, after STARTTLS
            self.event_handler.n_connections += 1
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.event_handler.wire += data
        super().data_received(data)


class MailServer(Controller):
    """aiosmtpd on a free port of 127.0.0.1; with a context manager's ends."""

    def __init__(
        self,
        security: Literal["starttls", "tls", "none"] = "none",
        certificate: Path | None = None,
        *,
        login: bool = False,
        size: int = 2**25,
    ) -> None:
        context = server_context(certificate) if certificate else None
        self.script = Handler()
        super().__init__(
            self.script,
            hostname="127.0.0.1",
            port=0,
            ssl_context=context if security == "tls" else None,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=self.script.authenticate,
            auth_required=login,
            auth_require_tls=security == "starttls",
            data_size_limit=size,
        )

    def factory(self) -> SMTP:
        return _ListeningSMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
        self.script.n_connections = 0  # that was the controller's own call

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class BareServer:
    """A server that says one line to each command, whatever the line; `DROP` (alone, or after words) hangs up.

    Commands are known by their first word; "." is the end of the text. Each connection gets the same lines.
    """

    def __init__(
        self, replies: Mapping[str, str], greeting: str = "220 bare", context: ssl.SSLContext | None = None
    ) -> None:
        self.replies = {"EHLO": "250 bare", "RSET": "250 OK", "MAIL": "250 OK", "RCPT": "250 OK", **replies}
        self.greeting = greeting
        self.context = context  # of implicit TLS
        self.n_connections = 0
        self._listener = create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> BareServer:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(2)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.n_connections += 1
            with line, suppress(OSError):  # a client that hangs up, or wants no such TLS
                self._talk(self.context.wrap_socket(line, server_side=True) if self.context else line)

    def _talk(self, line: socket) -> None:
        reply, in_text = self.greeting, False
        with line.makefile("rb") as said:
            while True:
                words, hang_up, _ = reply.partition(DROP)
                if words:
                    line.sendall(f"{words}\r\n".encode())
                if hang_up:
                    return
                command = said.readline()
                if not command:
                    return
                word = command.decode("ascii", "replace").strip().partition(" ")[0].upper()
                reply = "" if in_text and word != "." else self.replies.get(word, "221 bye")
                in_text = (in_text and word != ".") or (word == "DATA" and reply.startswith("354"))


# --- certificates ---------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority made for one test session; `ca_file` is what clients trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(AUTHORITY, self._key, AUTHORITY, self._key, is_authority=True)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(certificate)

    def certificate_for(self, host: str, *, days_left: int = 30) -> Path:
        """A file with key and certificate for `host`, signed by this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / f"{host}.{days_left}.pem"
        path.write_bytes(
            _key_pem(key) + _certificate(host, key, AUTHORITY, self._key, days_left=days_left, alternative=host)
        )
        return path

    def self_signed(self, host: str) -> Path:
        """A file with key and certificate for `host`, signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / f"{host}.self-signed.pem"
        path.write_bytes(_key_pem(key) + _certificate(host, key, host, key, alternative=host))
        return path


AUTHORITY = "procmon test authority"


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    alternative: str = "",
    is_authority: bool = False,
    days_left: int = 30,
) -> bytes:
    """PEM of a certificate with all that Python 3.13's stricter verification asks for."""
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days_left))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if alternative:
        names = x509.SubjectAlternativeName([x509.DNSName(alternative)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def server_context(certificate: Path) -> ssl.SSLContext:
    """What a server presents: key and certificate of one file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
