"""What may stand in a mail's header, and how Vietnamese gets there.

The library's own encoder is never asked: Python 3.11.7 lets a crafted subject add a header line, and every version
up to 3.13 can lose a space of a long Vietnamese subject.
"""

from __future__ import annotations

import base64
import re
import socket
import unicodedata
from collections.abc import Collection, Iterator

from procmon.errors import SettingsError

LONGEST_LINE = 76
"""Characters of a header line that holds an encoded word (RFC 2047, section 2)."""

LONGEST_WORD = 75
"""Characters of one encoded word (RFC 2047, section 2)."""

WORD_FRAME = "=?utf-8?b?{}?="

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")

_FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")  # controls, lone surrogates, U+2028, U+2029


def check_header(text: str, what: str) -> str:
    """`text`, if it may go into a header.

    Args:
        text: what would be written, unencoded.
        what: what it is and whose, for the message: "the subject", "recipient's name".

    Raises: SettingsError naming `what` and the character that breaks lines or starts an encoded word (`=?`).
    """
    for character in text:
        if unicodedata.category(character) in _FORBIDDEN:
            raise _refused(text, what, f"U+{ord(character):04X}")
    if "=?" in text:
        raise _refused(text, what, '"=?"')
    return text


def _refused(text: str, what: str, found: str) -> SettingsError:
    return SettingsError(
        f"{what}: {text[:80]!r} holds {found}, which may not stand in a mail's header",
        remedy="Take it out of the registry or setting that the text comes from.",
    )


def encode_words(text: str, *, column: int = 0) -> str:
    """`text` as it goes into a header: itself if short plain ASCII, else encoded words (RFC 2047).

    Words are folded by CRLF and a space, which a reader drops; the text's own spaces are inside the words. No
    character is split over two words.

    Args:
        text: what a reader shall see, checked by `check_header`.
        column: characters that stand on the first line before it, such as `len("Subject: ")`.
    """
    if _is_plain(text) and column + len(text) <= LONGEST_LINE:
        return text
    return "\r\n ".join(_words(text, LONGEST_LINE - column))


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and text == text.strip() and "=?" not in text


def _words(text: str, room: int) -> Iterator[str]:
    piece = b""
    n_most = _bytes_that_fit(room)
    for character in text:
        encoded = character.encode()
        if piece and len(piece) + len(encoded) > n_most:
            yield _word(piece)
            piece, n_most = b"", _bytes_that_fit(LONGEST_WORD)
        piece += encoded
    yield _word(piece)


def _word(piece: bytes) -> str:
    return WORD_FRAME.format(base64.b64encode(piece).decode("ascii"))


def _bytes_that_fit(room: int) -> int:
    """Bytes that base64 takes into a word of at most `room` characters: three for each four."""
    return (min(room, LONGEST_WORD) - len(WORD_FRAME.format(""))) // 4 * 3


def check_address(email: str, allowed_domains: Collection[str]) -> str:
    """`email`, if it is one plain address of a domain that mails may go to.

    Args:
        email: an address such as `an@haiphong.gov.vn`: ASCII, no name, no quotes, no comment.
        allowed_domains: domains as setting smtp.allowed_domains has them, compared whole and without regard to
            case (a subdomain is a domain of its own); empty: all.

    Raises: SettingsError naming the address and the remedy.
    """
    check_header(email, "address")
    found = _ADDRESS.fullmatch(email)
    if found is None or len(email) > LONGEST_ADDRESS or len(found["local"]) > LONGEST_LOCAL_PART:
        raise SettingsError(
            f"{email[:80]!r} is not a mail address",
            remedy="Write it as name@domain, in ASCII (a domain with accents as xn--…), without a display name.",
        )
    allowed = {domain.lower() for domain in allowed_domains}
    if allowed and found["domain"].lower() not in allowed:
        raise SettingsError(
            f"{email}: mails may not go to {found['domain']}",
            remedy="Correct the address, or add the domain to smtp.allowed_domains.",
        )
    return email


def sender_address(sender: str) -> str:
    """Setting smtp.sender, or where it is empty procmon@ this host's name.

    Raises: SettingsError if that is no mail address.
    """
    try:
        return check_address(sender or f"procmon@{socket.gethostname()}", ())
    except SettingsError as error:
        raise SettingsError(
            f"smtp.sender: {error}", remedy="Set smtp.sender to an address such as procmon@haiphong.gov.vn."
        ) from error
