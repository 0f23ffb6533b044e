"""Vietnamese text, folded for comparing and tidied for keeping.

«Hòa» and «Hoà», composed and decomposed letters, Đ and Ð, blanks of every kind and characters that no one sees are
the same to a reader, and must not make two units, statuses or columns (reliability.md: A13).
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1000
"""Characters of a text; a longer one is refused, and compared as it stands: composing takes time by the square of the
marks in a row, which in a hostile file is hours."""

TONES = "\u0300\u0301\u0303\u0309\u0323"
"""Grave, acute, tilde, hook above, dot below: the five marks that old and new spelling place differently."""

ALPHABET = str.maketrans({letter: chr(ord("a") + n) for n, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")})
TONES_IN_ORDER = str.maketrans("\u0300\u0309\u0303\u0301\u0323", "12345")

INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
CROSSED_D = str.maketrans("ÐðƉɖ", "ĐđĐđ")

SQL_INVISIBLE = r"[\x{AD}\x{34F}\x{61C}\x{180B}-\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}]"
SQL_BLANKS = r"[\p{Zs}]+"


def fold(text: str) -> str:
    """`text` as it is compared: two texts that a reader takes for the same fold alike."""
    if len(text) > LONGEST:
        return text
    plain = INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(CROSSED_D).casefold()
    return " ".join(_toneless_end(word) for word in plain.split())


def _toneless_end(word: str) -> str:
    """The word with its tone mark behind it, so that its place on the vowels does not matter."""
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    tones = "".join(letter for letter in letters if letter in TONES)
    rest = "".join(letter for letter in letters if letter not in TONES)
    return unicodedata.normalize("NFC", rest) + unicodedata.normalize("NFD", tones)  # in the order of the standard


def alphabetical(text: str) -> list[tuple[str, str]]:
    """What to sort names by, as Vietnamese dictionaries do: word by word, its letters (d, đ, e, ê), then its tone."""
    found = []
    for word in fold(text).split():
        letters = word.rstrip(TONES)
        found.append((letters.translate(ALPHABET), word[len(letters) :].translate(TONES_IN_ORDER)))
    return found


def bare(text: str) -> str:
    """`text` without any mark: small letters a to z, for looking a word up."""
    letters = unicodedata.normalize("NFD", fold(text).replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words(name: str) -> str:
    """A column's name as plain small words: NgàyTiếpNhận, ngay_tiep_nhan and «Ngày tiếp nhận:» alike."""
    split = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[\W_]+", " ", bare(split)).split())


def fold_name(text: str) -> str:
    """A column's name as it is compared: folded, without the marks that forms put behind it."""
    return fold(text).strip(" *:.()")


def tidy_sql(column: str) -> str:
    """SQL: a code as it is kept: composed (NFC), single blanks, nothing invisible."""
    odd = rf"regexp_matches({column}, '[^\x21-\x7E]') AND length({column}) <= {LONGEST}"
    seen = f"regexp_replace(nfc_normalize({column}), '{SQL_INVISIBLE}', '', 'g')"
    return f"CASE WHEN {odd} THEN nullif(trim(regexp_replace({seen}, '{SQL_BLANKS}', ' ', 'g')), '') ELSE {column} END"
