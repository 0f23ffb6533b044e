"""Vietnamese text that looks the same is the same, and no two words become one."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procmon.text import INVISIBLE, alphabetical, bare, fold, fold_name, tidy_sql

INITIALS = ["", "b", "c", "ch", "d", "đ", "g", "gi", "h", "kh", "l", "m", "n", "ng", "nh", "ph", "qu", "t", "th", "tr"]
RHYMES = [
    "a", "ă n", "â n", "an", "anh", "ai", "ay", "ây", "ao", "au", "âu", "e", "ê", "en", "ên", "eo", "êu", "i", "iên",
    "iêu", "ia", "o", "ô", "ơ", "on", "ôn", "ơn", "oa", "oan", "oe", "oi", "ôi", "ơi", "u", "ư", "ua", "ưa", "uân",
    "uê", "uy", "uyên", "uôi", "ươi", "ương", "y", "yên", "oai", "oay",
]  # fmt: skip
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
VOWELS = "aăâeêioôơuưy"
SYLLABLES = sorted({(initial, rhyme.replace(" ", "")) for initial, rhyme in product(INITIALS, RHYMES)})
HIDDEN = ["\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad", "\u2060", "\u200e", "\u202a"]
BLANKS = [" ", "\u00a0", "\u2002", "\u2009", "\u202f", "\u3000", "\t", "\n"]

syllables = st.tuples(st.sampled_from(SYLLABLES), st.sampled_from(TONES))
words = st.lists(syllables, min_size=1, max_size=4)
connection = duckdb.connect()


def spell(syllable: tuple[tuple[str, str], str], place: int) -> str:
    """The syllable in NFC with its tone on the vowel number `place` of its rhyme."""
    (initial, rhyme), tone = syllable
    at = [n for n, letter in enumerate(rhyme) if letter in VOWELS]
    n = at[min(place, len(at) - 1)]
    return unicodedata.normalize("NFC", initial + rhyme[: n + 1] + tone + rhyme[n + 1 :])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hòa Bình", "Hoà Bình"),
        ("THỦY NGUYÊN", "Thuỷ Nguyên"),
        ("Quý", "Qúy"),
        ("khoẻ", "khỏe"),
        ("Đồ Sơn", "Ðồ Sơn"),
        ("đã trả", "ðã trả"),
        ("Đã trả", "Ɖã trả"),
        ("Lê Chân", unicodedata.normalize("NFD", "Lê Chân")),
        ("Ngô\u00a0Quyền", "Ngô Quyền"),
        ("  Ngô \t Quyền\n", "ngô quyền"),
        ("An\u200b Dương", "An Dương"),
        ("\ufeffTrạng thái", "Trạng thái"),
        ("Tiên\u00ad Lãng", "Tiên Lãng"),
        ("ặ", "a\u0323\u0306"),
        ("ặ", "a\u0306\u0323"),
    ],
)
def test_two_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert bare(one) == bare(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("trả", "trà"), ("dừng", "đừng"), ("Lê", "Le"), ("mới", "mời"), ("hoa", "hoà"), ("an lão", "anlão"), ("ơ", "ớ")],
)
def test_words_that_differ_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@settings(max_examples=200)
@given(words, st.integers(0, 2), st.integers(0, 2), st.sampled_from(BLANKS), st.sampled_from(HIDDEN), st.data())
def test_tone_place_composition_case_and_hidden_characters_do_not_matter(
    text: list[tuple[tuple[str, str], str]], place: int, elsewhere: int, blank: str, hidden: str, data: st.DataObject
) -> None:
    plain = " ".join(spell(syllable, place) for syllable in text)
    odd = (blank * 2).join(spell(syllable, elsewhere) for syllable in text)
    odd = data.draw(st.sampled_from([odd, odd.upper(), odd.title(), odd.replace("đ", "ð")]))
    odd = unicodedata.normalize(data.draw(st.sampled_from(["NFC", "NFD"])), odd)
    at = data.draw(st.integers(0, len(odd)))
    assert fold(odd[:at] + hidden + odd[at:]) == fold(plain)


@settings(max_examples=300)
@given(words, words)
def test_distinct_words_stay_distinct(
    one: list[tuple[tuple[str, str], str]], other: list[tuple[tuple[str, str], str]]
) -> None:
    """Two texts fold alike only if they have the same letters, each syllable with the same tone."""
    meant = [[(initial + rhyme, tone) for (initial, rhyme), tone in text] for text in (one, other)]
    folded = [fold(" ".join(spell(syllable, 0) for syllable in text)) for text in (one, other)]
    assert (folded[0] == folded[1]) == (meant[0] == meant[1])


def test_all_syllables_and_tones_stay_distinct() -> None:
    letters = {initial + rhyme for initial, rhyme in SYLLABLES}
    folded = {fold(spell((("", word), tone), 0)) for word in letters for tone in TONES}
    assert len(folded) == len(letters) * len(TONES)


@settings(max_examples=300)
@example("\u0309\u1ee2")  # marks of two letters, in an order that the standard turns round
@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert bare(bare(text)) == bare(text)


def test_names_stand_in_the_order_of_a_vietnamese_dictionary() -> None:
    """Letters first (Đ after D, Ơ after Ô), word by word, then the tones: none, huyền, hỏi, ngã, sắc, nặng."""
    in_order = [
        "", "06", "An ninh", "Ăn uống", "Âm nhạc", "Công Thương", "Du lịch", "Đất đai", "Đầu tư", "Giáo dục",
        "Hộ tịch",
        "ma", "ma tuý", "mà", "mà chè", "mả", "mã", "MÁ", "mạ", "Môi trường", "Mời", "Tài nguyên", "Tư pháp",
        "Xây dựng", "Y tế",
    ]  # fmt: skip
    shuffled = sorted(in_order, key=str.encode)
    assert shuffled != in_order
    assert sorted(shuffled, key=alphabetical) == in_order


def test_bare_words_have_small_letters_only() -> None:
    assert bare("Ngày hẹn trả, SỐ ĐIỆN THOẠI") == "ngay hen tra, so dien thoai"
    assert bare("Ðường Ngô Quyền") == "duong ngo quyen"


@pytest.mark.parametrize("name", ["Số hồ sơ (*)", "Số hồ sơ *", "Số hồ sơ:", " SỐ HỒ SƠ. ", "Số  hồ\nsơ **:"])
def test_the_marks_that_forms_put_behind_a_name_do_not_count(name: str) -> None:
    assert fold_name(name) == fold_name("Số hồ sơ")


def tidied(text: str) -> str | None:
    """What `tidy_sql` promises, in Python: nothing is touched that is visible ASCII throughout."""
    if not re.search(r"[^\x21-\x7e]", text):
        return text
    seen = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return re.sub("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+", " ", seen).strip(" ") or None


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([*HIDDEN, *BLANKS[:-2], "H24.12", "Hoà", "đ", "e\u0323\u0302", "Ð"]),
            st.characters(min_codepoint=0x21, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn"]),
        ),
        max_size=12,
    ).map("".join)
)
def test_sql_tidies_a_code_as_python_does(text: str) -> None:
    assert tidy(text) == tidied(text)


def test_a_tidied_code_keeps_its_letters() -> None:
    assert tidy(" H24\u00a0 12\u200b ") == "H24 12"
    assert tidy("Hoà") == "Hoà"
    assert tidy("\u200b") is None
    assert tidy("000.00.12.H24-250425-0001") == "000.00.12.H24-250425-0001"


def tidy(text: str) -> str | None:
    return connection.execute(f"SELECT {tidy_sql('c')} FROM (SELECT ?::VARCHAR AS c)", [text]).fetchall()[0][0]
