"""Makes `spellings.csv`, the list of names of units with what each must mean: `python tests/names/make.py`.

It imports nothing of procmon: what a name must mean is counted here from the shipped units (facts), by plain text. What
is worth a person's eye stands in BY_HAND, checked against the shipped table; the rest are the forms that every name
has. `expected` is the unit's code, `ambiguous` or `unknown`.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

FOLDER = Path(__file__).parent
UNITS = FOLDER.parents[1] / "procmon" / "data" / "haiphong_units.csv"
SPELLINGS = FOLDER / "spellings.csv"

BEFORE, AFTER = "2025-06-30", "2025-07-01"
SHORT = {
    "Phường": "P", "Xã": "X", "Đặc khu": "ĐK", "Quận": "Q", "Huyện": "H", "Thị xã": "TX", "Thị trấn": "TT",
    "Thành phố": "TP",
}  # fmt: skip
OTHER_KIND = {"Phường": "Xã", "Xã": "Phường", "Đặc khu": "Phường"}
TONES = "\u0300\u0301\u0303\u0309\u0323"

BY_HAND = [
    # Two communes that differ by one mark: right marks tell them apart, none do not.
    ("Xã Cẩm Giang", AFTER, "10888"),
    ("Xã Cẩm Giàng", AFTER, "10903"),
    ("Cẩm Giàng", AFTER, "10903"),
    ("xa Cam Giang", AFTER, "ambiguous"),
    ("CAM GIANG", AFTER, "ambiguous"),
    ("Xã Câm Giang", AFTER, "unknown"),
    ("Huyện Cẩm Giàng", BEFORE, "295"),
    ("TT. Cẩm Giang", BEFORE, "10888"),
    ("TT. Cẩm Giàng", BEFORE, "unknown"),
    ("Cam Giang", BEFORE, "ambiguous"),
    # One name, a district before and a ward after.
    ("Hồng Bàng", BEFORE, "303"),
    ("Hồng Bàng", AFTER, "11311"),
    ("P. Hồng Bàng", BEFORE, "unknown"),
    ("Q. Hồng Bàng", AFTER, "unknown"),
    ("Quan Hong Bang", BEFORE, "303"),
    ("An Dương", BEFORE, "ambiguous"),
    ("Phường An Dương", BEFORE, "11401"),
    ("Quận An Dương", BEFORE, "312"),
    ("An Dương", AFTER, "11581"),
    ("Cát Hải", BEFORE, "ambiguous"),
    ("Huyện Cát Hải", BEFORE, "317"),
    ("TT Cát Hải", BEFORE, "11917"),
    ("thi tran Cat Hai", BEFORE, "11917"),
    ("Cát Hải", AFTER, "11914"),
    ("ĐK.Cát Hải", AFTER, "11914"),
    ("Đ.K Cát Hải", AFTER, "11914"),
    ("dac khu cat hai", AFTER, "11914"),
    ("Thị trấn Cát Bà", BEFORE, "11914"),
    ("Thị trấn Cát Bà", AFTER, "unknown"),
    ("Huyện Bạch Long Vĩ", BEFORE, "318"),
    ("Bạch Long Vĩ", BEFORE, "318"),
    ("Bạch Long Vỹ", BEFORE, "unknown"),
    ("Đặc khu Bạch Long Vĩ", AFTER, "11948"),
    ("huyện đảo Bạch Long Vĩ", BEFORE, "unknown"),
    # Đ, Ð and ɖ look alike; so do composed and decomposed letters, and blanks that no one sees.
    ("Phường \u00d0ồ Sơn", AFTER, "11455"),
    ("Phường \u0189ồ Sơn", AFTER, "11455"),
    ("Quận \u00d0ồ Sơn", BEFORE, "308"),
    ("\u200bPhường\u00a0Đồ\u2003Sơn\ufeff", AFTER, "11455"),
    ("Phường Đồ\u00ad Sơn", AFTER, "11455"),
    ("Phuong Do Son", AFTER, "11455"),
    ("Phường Nam Đồ Sơn", AFTER, "11737"),
    ("Phường  Đồ Sơn ", AFTER, "11455"),
    # Old and new place of the tone mark.
    ("Phường Thuỷ Nguyên", AFTER, "11560"),
    ("Phường Thủy Nguyên", AFTER, "11560"),
    ("Thành phố Thủy Nguyên", BEFORE, "311"),
    ("TP. Thuỷ Nguyên", BEFORE, "311"),
    ("Huyện Thủy Nguyên", BEFORE, "unknown"),
    ("Xã Kiến Thuỵ", AFTER, "11680"),
    ("Xã Kiến Thụy", AFTER, "11680"),
    ("H. Kiến Thụy", BEFORE, "314"),
    ("Kiến Thuỵ", BEFORE, "314"),
    ("Phường Hoà Bình", AFTER, "11533"),
    ("Phường Hòa Bình", AFTER, "11533"),
    ("Xã Vĩnh Hoà", AFTER, "11848"),
    ("Phường Việt Hoà", AFTER, "10543"),
    # One name for several old units: the unit in which it lies decides.
    ("Xã Hòa Bình", BEFORE, "ambiguous"),
    ("Xã Hoà Bình, Huyện Vĩnh Bảo", BEFORE, "11890"),
    ("xã Hòa Bình - huyện Kim Thành", BEFORE, "10798"),
    ("X. Hòa Bình (H. Kim Thành)", BEFORE, "10798"),
    ("Hòa Bình, TP. Thủy Nguyên", BEFORE, "11527"),
    ("Xã Hòa Bình, huyện Tiên Lãng", BEFORE, "unknown"),
    ("Xã Hòa Bình, Thành phố Hải Phòng", BEFORE, "11890"),
    ("Hòa Bình, Thành phố Hải Phòng", BEFORE, "ambiguous"),
    ("Phường Lê Lợi, Quận An Dương, TP. Hải Phòng", BEFORE, "11581"),
    ("Xã Lê Lợi", BEFORE, "ambiguous"),
    ("Xã Lê Lợi, Huyện Gia Lộc", BEFORE, "11041"),
    ("xa Le Loi, huyen Gia Loc", BEFORE, "11041"),
    ("Xã Lê Lợi; TP Chí Linh", BEFORE, "10564"),
    ("Phường Hồng Bàng, Thành phố Hải Phòng", AFTER, "11311"),
    ("Phường Hồng Bàng – TP. Hải Phòng", AFTER, "11311"),
    ("Phường Hồng Bàng, Quận Hồng Bàng", AFTER, "unknown"),
    ("Phường Hồng Bàng, Hà Nội", AFTER, "unknown"),
    # A first word that is no kind's, though it reads so without its mark.
    ("Phường Quán Toan", BEFORE, "11296"),
    ("Quan Toan", BEFORE, "11296"),
    ("P. Đông Hải 1", BEFORE, "11410"),
    ("Phường Đông Hải 2", BEFORE, "11411"),
    ("Phường Đông Hải", BEFORE, "unknown"),
    ("Phường Đông Hải", AFTER, "11411"),
    ("Thị trấn  Kẻ Sặt", BEFORE, "10945"),
    # The city, and offices that stand for their units.
    ("Hải Phòng", AFTER, "HP"),
    ("TP.Hải Phòng", BEFORE, "HP"),
    ("T.P. Hải Phòng", AFTER, "HP"),
    ("thanh pho hai phong", AFTER, "HP"),
    ("Thành phố Hải Dương", BEFORE, "288"),
    ("Thành phố Hải Dương", AFTER, "unknown"),
    ("Tỉnh Hải Dương", BEFORE, "unknown"),
    ("UBND phường Lê Chân", AFTER, "11383"),
    ("Uỷ ban nhân dân P. Lê Chân", AFTER, "11383"),
    ("Ủy ban nhân dân quận Lê Chân", BEFORE, "305"),
    ("Trung tâm Phục vụ hành chính công phường Lê Chân", AFTER, "11383"),
    ("TTPVHCC xã An Lão", AFTER, "11629"),
    ("Bộ phận Một cửa xã An Lão", AFTER, "11629"),
    ("Trung tâm Phục vụ hành chính công thành phố Hải Phòng", AFTER, "HP"),
    ("UBND", AFTER, "unknown"),
    ("Ủy ban nhân dân xã", AFTER, "unknown"),
    # Codes are no names, but may stand where names do; of another day's unit they are unknown.
    ("11311", AFTER, "11311"),
    ("303", BEFORE, "303"),
    ("303", AFTER, "unknown"),
    # Nothing, or nearly.
    ("", AFTER, "unknown"),
    ("   ", AFTER, "unknown"),
    ("Phường", AFTER, "unknown"),
    ("P.", AFTER, "unknown"),
    ("-", AFTER, "unknown"),
    (",", AFTER, "unknown"),
    ("Sở Tài chính", AFTER, "unknown"),
]  # fmt: skip


def split(name: str) -> tuple[str, str]:
    """The word for the kind, and the rest of a shipped name."""
    word = next(word for word in SHORT if name.startswith(f"{word} "))
    return word, name.removeprefix(f"{word} ")


def alike(name: str) -> str:
    """What two spellings of one name share: letters with their marks, tones apart."""
    letters = normalize("NFD", name.lower())
    tones = sorted((place_of_word(letters, i), sign) for i, sign in enumerate(letters) if sign in TONES)
    return repr(("".join(sign for sign in letters if sign not in TONES), tones))


def place_of_word(text: str, place: int) -> int:
    return text[:place].count(" ")


def bare(name: str) -> str:
    """A name as typed without any mark."""
    letters = normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    return normalize("NFC", "".join(sign for sign in letters if not "\u0300" <= sign <= "\u036f"))


def other_tone(name: str) -> str:
    """The name in the other of the two styles: Hòa and Hoà, Thủy and Thuỷ."""
    pairs = [pair.split("/") for tone in TONES for pair in (f"o{tone}a/oa{tone}", f"u{tone}y/uy{tone}")]
    text = normalize("NFD", name)
    for one, other in pairs:
        if one in text or other in text:
            text = text.replace(one, "\0").replace(other, one).replace("\0", other)
            break
    return normalize("NFC", text)


def is_there(unit: dict[str, str], day: str) -> bool:
    return unit["valid_from"] <= day and not (unit["valid_to"] and unit["valid_to"] <= day)


def spellings(units: list[dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    """(spelling, day, expected)."""
    yield from BY_HAND
    on = {day: [unit for unit in units if is_there(unit, day)] for day in (BEFORE, AFTER)}
    full, rest, plain = ({day: defaultdict(set) for day in on} for _ in range(3))
    for day, there in on.items():
        for unit in there:
            for names, name in ((full, alike(unit["name"])), (rest, alike(split(unit["name"])[1]))):
                names[day][name].add(unit["unit_id"])
            plain[day][bare(unit["name"]).lower()].add(unit["unit_id"])

    def meant(names: dict[str, dict[str, set[str]]], name: str, day: str) -> str:
        found = names[day].get(name, set())
        return next(iter(found)) if len(found) == 1 else "ambiguous" if found else "unknown"

    for unit in (unit for unit in on[AFTER] if unit["valid_from"] == AFTER):
        name, code = unit["name"], unit["unit_id"]
        word, own = split(name)
        short = SHORT[word]
        for spelling in (
            name, normalize("NFD", name), other_tone(name), name.upper(), name.lower(), f"  {word}   {own} ",
            f"{short}. {own}", f"{short}.{own}", f"{short} {own}", f"{short.lower()}.{own.lower()}", own, own.upper(),
            f"UBND {name}", f"{name}, TP. Hải Phòng",
        ):  # fmt: skip
            yield spelling, AFTER, code
        yield bare(name), AFTER, meant(plain, bare(name).lower(), AFTER)
        yield f"{own}{own[-1]}", AFTER, "unknown"  # a letter twice
        yield f"{name[:-1]}", AFTER, meant(full, alike(name[:-1]), AFTER)  # the last letter lost
        if word in OTHER_KIND:
            yield f"{OTHER_KIND[word]} {own}", AFTER, "unknown"
        yield name, BEFORE, meant(full, alike(name), BEFORE)
        yield own, BEFORE, meant(rest, alike(own), BEFORE)
    names = {unit["unit_id"]: unit["name"] for unit in on[BEFORE]}
    for unit in on[BEFORE]:
        name = unit["name"]
        yield name, BEFORE, meant(full, alike(name), BEFORE)
        if unit["parent_unit_id"] in names:
            within = names[unit["parent_unit_id"]]
            word, district = split(within)
            yield f"{SHORT[split(name)[0]]}. {split(name)[1]}, {SHORT[word]}. {district}", BEFORE, unit["unit_id"]


def content() -> str:
    """The text of `spellings.csv`, each spelling and day once."""
    with UNITS.open(encoding="utf-8", newline="") as file:
        units = list(csv.DictReader(file))
    lines: dict[tuple[str, str], str] = {}
    for spelling, day, expected in spellings(units):
        if lines.setdefault((spelling, day), expected) != expected:
            raise ValueError(f"{spelling!r} on {day}: {expected} and {lines[spelling, day]}")
    quoted = [f'"{spelling}",{day},{expected}' for (spelling, day), expected in lines.items()]
    return "\n".join(["spelling,on,expected", *quoted, ""])


if __name__ == "__main__":
    SPELLINGS.write_text(content(), "utf-8", newline="\n")
    print(f"{SPELLINGS}: {SPELLINGS.read_text('utf-8').count(chr(10)) - 1} spellings", file=sys.stderr)
