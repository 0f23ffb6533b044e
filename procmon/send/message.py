"""A page as a mail, in bytes that are the same on every day, machine and Python.

The lines are composed here, not by the `email` package, whose encoders differ from version to version; what a
server or the ledger is given stays byte for byte what a test has seen. Layout:

    multipart/alternative
    ├── text/plain                 every headline figure
    └── multipart/related
        ├── text/html              pictures as cid:…
        └── image/png, inline …
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from procmon.errors import DeliveryError
from procmon.send.headers import check_address, check_header, encode_words
from procmon.tables import Image, Page

_PICTURE_LINK = re.compile(r"""(?P<before>\bsrc=["'])cid:(?P<name>[^"']*)(?=["'])""")
_PICTURE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]+@[A-Za-z0-9.-]+>")


def message_id(key: str, sender: str) -> str:
    """The Message-ID of the delivery `key`: the same however often it is sent, on whatever machine."""
    return f"<{_digest(key)}@{_domain(sender)}>"


def build(
    page: Page,
    *,
    sender: str,
    recipient_email: str,
    recipient_name: str,
    message_id: str,
    date: datetime,
    reply_to: str = "",
) -> bytes:
    """The mail that carries `page` to one recipient: CRLF line ends, 7-bit, lines far below 998.

    Equal arguments give equal bytes.

    Args:
        page: what report made; `mail_html` names its images as `src="cid:NAME"`.
        sender: From address.
        recipient_email: the one address that the mail goes to.
        recipient_name: who that is; may be empty.
        message_id: as `message_id()` gives it, angle brackets included.
        date: when the mail was made, time zone included.
        reply_to: address of a person; empty: none.

    Raises: SettingsError if an address, a name or the subject may not stand in a header; DeliveryError if the
        HTML names a picture that the page does not have.
    """
    if date.tzinfo is None:
        raise ValueError("the date of a mail needs a time zone")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"{message_id!r} is not a Message-ID")
    head = [
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        f"From: {check_address(sender, ())}",
        *([f"Reply-To: {check_address(reply_to, ())}"] if reply_to else []),
        f"To: {_mailbox(recipient_name, recipient_email, column=len('To: '))}",
        f"Subject: {encode_words(check_header(page.subject, 'the subject'), column=len('Subject: '))}",
        f"List-Id: <procmon.{_domain(sender)}>",  # RFC 2919: people sort their mail by it
        "Auto-Submitted: auto-generated",  # RFC 3834: no automatic answer to an automatic mail
        "X-Auto-Response-Suppress: All",  # the same for Exchange
        "Content-Language: vi",
        "MIME-Version: 1.0",
    ]
    return _lines(head) + _body(page, _digest(message_id)[:24])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _domain(address: str) -> str:
    return check_address(address, ()).rpartition("@")[2]


def _mailbox(name: str, address: str, *, column: int) -> str:
    """An address with the name of its owner: `"An" <an@example.vn>`; the address on a line of its own."""
    check_address(address, ())
    if not name:
        return address
    words = encode_words(check_header(name, f"name of recipient {address}"), column=column)
    if words == name:  # plain ASCII, and as such a quoted string
        words = '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))
    return f"{words}\r\n <{address}>"


def _body(page: Page, token: str) -> bytes:
    """The mail from its Content-Type on; `token` makes its boundaries and picture ids."""
    content_ids = {image.name: f"{image.name}@{token}.procmon" for image in page.images}
    html = _text("html", _link_pictures(page.mail_html, content_ids))
    if page.images:
        pictures = [_picture(image, content_ids[image.name]) for image in page.images]
        html = _multipart('related; type="text/html"', f"=_related_{token}", [html, *pictures])
    return _multipart("alternative", f"=_alternative_{token}", [_text("plain", page.mail_text), html])


def _link_pictures(html: str, content_ids: dict[str, str]) -> str:
    """`html` with each `cid:NAME` as the id that only this mail has, so that no reader mixes up two mails' pictures."""

    def linked(link: re.Match[str]) -> str:
        if link["name"] not in content_ids:
            raise DeliveryError(
                f"the mail's HTML shows a picture {link['name']!r} that the page does not have",
                remedy="Add it to the page's images or take it out of the mail's template.",
            )
        return f"{link['before']}cid:{content_ids[link['name']]}"

    return _PICTURE_LINK.sub(linked, html)


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """Parts between boundaries; "=_" cannot stand in a line of quoted-printable or base64."""
    delimiter = f"--{boundary}".encode("ascii")
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"
    return _part([f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"'], body)


def _text(subtype: str, text: str) -> bytes:
    lines = re.sub(r"\r\n|\r|\n", "\r\n", text).rstrip("\r\n") + "\r\n"
    return _part(
        [f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"],
        binascii.b2a_qp(lines.encode()),
    )


def _picture(image: Image, content_id: str) -> bytes:
    if not _PICTURE_NAME.fullmatch(image.name):
        raise ValueError(f"{image.name!r} cannot name a picture in a mail")
    encoded = base64.encodebytes(image.png).replace(b"\n", b"\r\n")
    return _part(
        [
            "Content-Type: image/png",
            "Content-Transfer-Encoding: base64",
            f"Content-ID: <{content_id}>",
            f'Content-Disposition: inline; filename="{image.name}.png"',
        ],
        encoded,
    )


def _part(head: Sequence[str], body: bytes) -> bytes:
    return _lines(head) + b"\r\n" + body


def _lines(head: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in head).encode("ascii")
