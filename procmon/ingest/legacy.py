"""Text that an older Vietnamese encoding spoiled: recognised, named and refused, so that it is never stored.

Fonts of the 1990s drew Vietnamese over the byte codes of western letters (TCVN3, also called ABC, and VNI). Such text
looks like «Céng hßa» or «Coäng hoøa», as bytes or saved once more as UTF-8. UTF-8 read as a western encoding and saved
again looks like «Cá»™ng hÃ²a». Each reading is judged by how many of its words are Vietnamese syllables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice

FEWEST_WORDS = 3
"""Different words with letters outside ASCII below which nothing is suspected."""
MOST_WORDS = 2000
"""Different words judged; more say no more."""
SHARE_WRONG, SHARE_RIGHT = 0.6, 0.85
"""Share of syllables at most in a reading that is wrong, at least in one that is right."""
SHARE_DOUBLE = 0.7
"""The same for double-encoded UTF-8, lower: tools lose the five codes that Windows-1252 lacks, «đ» among them."""

FONTS = ("tcvn3", "vni")
ENCODINGS = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI", "windows-1258": "Windows-1258"}
"""What `suspect` returns → how the user knows it, where they differ."""

# ---- syllables

_GRAVE, _HOOK, _TILDE, _ACUTE, _DOT = "\u0300\u0309\u0303\u0301\u0323"
_ONSETS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"
_OPEN = (
    "a e ê i o ô ơ u ư y ia ua ưa oa oe uê uy uơ uya ai ao au ay âu ây eo êu iu iêu yêu oi ôi ơi oai oay oeo oao "
    "ui uôi ưi ưu ươi ươu uây uyu"
)
_NASAL = (
    "am ăm âm em êm im om ôm ơm um iêm yêm uôm ươm oam oăm "
    "an ăn ân en ên in on ôn ơn un ưn yn iên yên uôn ươn oan oăn oen uân uyên uyn uên "
    "ang ăng âng eng ong ông ung ưng iêng yêng uông ương oang oăng uâng oong anh ênh inh ynh oanh uynh uênh"
)
_STOPS = (("nh", "ch"), ("ng", "c"), ("m", "p"), ("n", "t"))  # each nasal's coda → the stop of the same place


def _stopped(rime: str) -> str:
    nasal, stop = next(pair for pair in _STOPS if rime.endswith(pair[0]))
    return rime.removesuffix(nasal) + stop


LONGEST_SYLLABLE = 12
"""Letters and marks apart: «nghiếng» has nine."""

_BEGINNINGS = ["", *_ONSETS.split()]
_FREE = frozenset(onset + rime for onset in _BEGINNINGS for rime in f"{_OPEN} {_NASAL}".split())
_CHECKED = frozenset(onset + _stopped(rime) for onset in _BEGINNINGS for rime in _NASAL.split())
"""Syllables without their tone; `_CHECKED` ones end in a stop and bear the acute or the dot."""


@lru_cache(maxsize=1 << 14)
def is_syllable(word: str) -> bool:
    """Whether a word is a possible Vietnamese syllable, in any case, form and place of its tone mark."""
    if len(word) > LONGEST_SYLLABLE:  # what is below takes time by the square of a word's marks
        return False
    letters = unicodedata.normalize("NFD", word.lower().replace("ð", "đ"))
    tones = [mark for mark in letters if mark in (_GRAVE, _HOOK, _TILDE, _ACUTE, _DOT)]
    bare = unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in tones))
    if bare in _CHECKED:
        return len(tones) == 1 and tones[0] in (_ACUTE, _DOT)
    return len(tones) <= 1 and bare in _FREE


# ---- readings of bytes

_NO_LETTER = "\ufffd"
_BLANK = dict.fromkeys(range(0x80, 0xA1), " ")


def _table(letters: dict[int, str]) -> dict[int, str]:
    """Latin-1 code → text, from runs of letters by the code of their first."""
    runs = {start + i: letter for start, run in letters.items() for i, letter in enumerate(run)}
    return dict.fromkeys(range(0xA1, 0x100), _NO_LETTER) | _BLANK | runs


_TCVN3 = _table(
    {
        0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
        0xB5: "àảãáạ",
        0xBB: "ằẳẵắ",
        0xC6: "ặầẩẫấậè",
        0xCE: "ẻẽéẹềểễếệìỉ",
        0xDC: "ĩíịò",
        0xE1: "ỏõóọồổỗốộờởỡớợù",
        0xF1: "ủũúụừửữứựỳỷỹýỵ",
    }
)

_CIRCUMFLEX, _BREVE = "\u0302\u0306"
_VNI_SMALL = {
    **{0xE2: _CIRCUMFLEX, 0xE0: _CIRCUMFLEX + _GRAVE, 0xE1: _CIRCUMFLEX + _ACUTE, 0xE3: _CIRCUMFLEX + _TILDE},
    **{0xE4: _CIRCUMFLEX + _DOT, 0xE5: _CIRCUMFLEX + _HOOK},
    **{0xEA: _BREVE, 0xE8: _BREVE + _GRAVE, 0xE9: _BREVE + _ACUTE, 0xEB: _BREVE + _DOT},
    **{0xFA: _BREVE + _HOOK, 0xFC: _BREVE + _TILDE},
    **{0xF8: _GRAVE, 0xF9: _ACUTE, 0xF5: _TILDE, 0xEF: _DOT, 0xFB: _HOOK},
    **{0xE6: "ỉ", 0xEC: "ì", 0xED: "í", 0xEE: "ỵ", 0xF1: "đ", 0xF2: "ị", 0xF3: "ĩ", 0xF4: "ơ", 0xF6: "ư"},
}
"""A code is a letter, or the marks of the letter before it."""
_VNI_CAPITALS = {code - 0x20: text.upper() for code, text in _VNI_SMALL.items()}
_VNI = _table({}) | _VNI_SMALL | _VNI_CAPITALS


def _reads_by(table: dict[int, str]) -> Callable[[bytes], str]:
    return lambda data: unicodedata.normalize("NFC", data.decode("latin-1").translate(table))


def _reads_windows_1258(data: bytes) -> str:
    return unicodedata.normalize("NFC", data.decode("cp1258", "replace"))


READINGS: dict[str, Callable[[bytes], str]] = {
    "tcvn3": _reads_by(_TCVN3),
    "vni": _reads_by(_VNI),
    "windows-1258": _reads_windows_1258,
}
"""Encoding → how its bytes read, NFC; a code without a letter reads as U+FFFD."""


class _Codes(dict[int, int]):
    """Code point → the byte that western software reads as it; 0xFF, a letter in neither font, for any other."""

    def __missing__(self, point: int) -> int:
        return point if point < 0x80 else 0xFF


def _codes() -> _Codes:
    codes = _Codes()
    for codec in ("cp1258", "latin-1", "cp1252"):  # the last one counts
        for byte in range(0x80, 0x100):
            letter = bytes([byte]).decode(codec, "ignore")
            if letter:
                codes[ord(letter)] = byte
    return codes


_CODES = _codes()


def _as_bytes(text: str) -> bytes:
    """The bytes that western software once read as this text."""
    return text.translate(_CODES).encode("latin-1")


# ---- judging

_WORD = re.compile("[A-Za-z\u00a1-\U0010ffff]{2,}")  # single signs («½», «©») are letters of the old fonts
_PUNCTUATION = re.compile("[\u00ab\u00bb\u2000-\u206f]+")


def _share(words: Iterable[str]) -> tuple[float, int]:
    """Share of the syllables among the different words, and their number."""
    different = list(islice(dict.fromkeys(words), MOST_WORDS))
    return sum(map(is_syllable, different)) / max(1, len(different)), len(different)


def _foreign_words(text: str) -> list[str]:
    """The words with a letter outside ASCII."""
    return [word for word in _WORD.findall(_PUNCTUATION.sub(" ", text)) if not word.isascii()]


def is_utf8(sample: bytes) -> bool:
    """Whether the letters outside ASCII are UTF-8 but for stray bytes; `sample` ends with a whole letter."""
    text = sample.decode("utf-8", "replace")
    n_wrong = text.count("\ufffd") - sample.count("\ufffd".encode())
    n_foreign = len(text) - len(text.encode("ascii", "ignore"))
    return n_wrong <= n_foreign - n_wrong


def suspect(sample: bytes) -> str:
    """What spoiled the text: `tcvn3`, `vni`, `windows-1258`, `double-encoded UTF-8`; empty where nothing is suspected.

    `sample` is some whole lines. Text in UTF-8 is suspected only where its words are not Vietnamese as they stand, and
    are when read otherwise: no text in another language is.
    """
    if not is_utf8(sample):
        return _likeliest(sample, READINGS)
    text = unicodedata.normalize("NFC", sample.decode("utf-8", "ignore"))
    share, n_words = _share(_foreign_words(text))
    if n_words == 0 or share > SHARE_WRONG:
        return ""
    if _is_double_encoded(text):
        return "double-encoded UTF-8"
    return _likeliest(_as_bytes(text), {name: READINGS[name] for name in FONTS})


def _likeliest(data: bytes, readings: dict[str, Callable[[bytes], str]]) -> str:
    """The reading with most syllables, if they are enough."""
    shares = {name: _share(_foreign_words(reads(data))) for name, reads in readings.items()}
    best = max(shares, key=lambda name: shares[name])
    share, n_words = shares[best]
    return best if n_words >= FEWEST_WORDS and share >= SHARE_RIGHT else ""


def _is_double_encoded(text: str) -> bool:
    """Whether most runs of letters outside ASCII are the bytes of UTF-8, and stand in Vietnamese words."""
    read = _as_bytes(text).decode("utf-8", "replace")
    share, n_words = _share(_foreign_words(read))
    return n_words >= FEWEST_WORDS and share >= SHARE_DOUBLE
