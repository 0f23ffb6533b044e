"""Vietnamese in an old encoding is recognised, and nothing else is."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest

from procmon.ingest.legacy import READINGS, is_syllable, is_utf8, suspect

SURNAMES = """
Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đoàn Đinh Quách Khuất
"""
MIDDLES = """
Văn Thị Đức Ngọc Hữu Minh Quốc Thanh Kim Xuân Hải Như Đình Công Bảo Gia Tuyết Thùy Diệu Phương
"""
GIVEN = """
An Bình Chiến Dũng Giang Hạnh Huyền Khuê Liễu Mỹ Nghĩa Oanh Phượng Quỳnh Sơn Tuyền Uyên Việt Ý Thủy
"""
PLACES = """
Hồng Bàng
Lê Chân
Ngô Quyền
Kiến An
Đồ Sơn
Thủy Nguyên
Vĩnh Bảo
Tiên Lãng
Cát Hải
Hải Dương
Chí Linh
"""
PROCEDURES = """
Đăng ký khai sinh
Cấp giấy phép xây dựng nhà ở riêng lẻ
Chứng thực bản sao từ bản chính giấy tờ
Thẩm định báo cáo đánh giá tác động môi trường
Đăng ký biến động quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất
Trợ cấp xã hội hằng tháng cho người khuyết tật
Xác nhận tình trạng hôn nhân
Cấp đổi giấy phép lái xe do ngành giao thông vận tải cấp
Giải quyết khiếu nại lần đầu tại cấp xã
Công bố hợp quy sản phẩm phân bón
"""
TONES = "\u0300\u0301\u0303\u0309\u0323"
HEADER = "Số hồ sơ;Tên thủ tục;Người nộp;Địa chỉ;Ngày tiếp nhận;Trạng thái"


@cache
def text_of(seed: int) -> str:
    """A list of dossiers, of 2 to 40 rows."""
    draw = random.Random(seed)

    def one_of(lines: str) -> str:
        return draw.choice(lines.strip().splitlines())

    def word_of(words: str) -> str:
        return draw.choice(words.split())

    rows = [
        f"H24.{draw.randrange(10**6)};{one_of(PROCEDURES)};"
        f"{word_of(SURNAMES)} {word_of(MIDDLES)} {word_of(GIVEN)};{one_of(PLACES)};05/06/2025;ok"
        for _ in range(draw.randint(2, 40))
    ]
    text = "\n".join([HEADER, *rows] if draw.random() < 0.5 else rows) + "\n"
    return text.upper() if draw.random() < 0.1 else text


def inverse(name: str) -> dict[str, bytes]:
    """Vietnamese letter → its code in an encoding, by that encoding's reading."""
    one = [bytes([code]) for code in range(0xA1, 0x100)]
    two = [letter + mark for letter in (b"%c" % c for c in range(65, 123) if chr(c).isalpha()) for mark in one]
    if name == "vni":
        two += [b + mark for b in (b"\xf4", b"\xf6", b"\xd4", b"\xd6") for mark in one]
    codes = {READINGS[name](code): code for code in two + one}
    return {letter: code for letter, code in codes.items() if len(letter) == 1}


TCVN3, VNI = inverse("tcvn3"), inverse("vni")


def in_tcvn3(text: str) -> bytes:
    """Capitals with a tone have no code: a font of capitals draws them from the small ones."""
    return b"".join(char.encode() if char.isascii() else TCVN3.get(char) or TCVN3[char.lower()] for char in text)


def in_vni(text: str) -> bytes:
    return b"".join(char.encode() if char.isascii() else VNI[char] for char in text)


def in_cp1258(text: str) -> bytes:
    """As Windows writes it: a letter with its shape, then the tone where no one code has both."""
    codes = []
    for char in text:
        try:
            codes.append(char.encode("cp1258"))
        except UnicodeEncodeError:
            marks = unicodedata.normalize("NFD", char)
            letter = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES))
            codes.append((letter + "".join(mark for mark in marks if mark in TONES)).encode("cp1258"))
    return b"".join(codes)


def resaved(data: bytes) -> bytes:
    """Bytes read as Windows-1252, as browsers do it, and saved as UTF-8."""
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in data).encode()


LEGACY: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "tcvn3": ("tcvn3", in_tcvn3),
    "vni": ("vni", in_vni),
    "windows-1258": ("windows-1258", in_cp1258),
    "tcvn3 saved as UTF-8": ("tcvn3", lambda text: resaved(in_tcvn3(text))),
    "vni saved as UTF-8": ("vni", lambda text: resaved(in_vni(text))),
    "double UTF-8": ("double-encoded UTF-8", lambda text: resaved(text.encode())),
    "double UTF-8, lossy": (
        "double-encoded UTF-8",
        lambda text: text.encode().decode("cp1252", "replace").encode(),
    ),
}


@pytest.mark.parametrize(("expected", "encoded"), LEGACY.values(), ids=LEGACY)
def test_of_a_thousand_spoiled_texts_at_least_990_are_named(expected: str, encoded: Callable[[str], bytes]) -> None:
    named = [suspect(encoded(text_of(seed))) for seed in range(1000)]
    assert named.count(expected) >= 990
    assert set(named) <= {expected, ""}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_no_good_vietnamese_text_is_suspected(form: str) -> None:
    texts = [unicodedata.normalize(form, text_of(seed)).encode() for seed in range(1000)]  # type: ignore[arg-type]
    assert {suspect(text) for text in texts} == {""}


def test_a_text_with_the_letter_eth_for_d_is_not_suspected() -> None:
    assert suspect("Ðà Nẵng, Ðồng Nai, Ðắk Lắk, Ðiện Biên, Ðình Vũ, Ðô, Ðà, Ðê\n".encode()) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dossier_id,status\nH24.1,received\n",
        "naïve café résumé, déjà vu à la carte; Noël, façade, soufflé, cliché, fiancée, protégé, entrée, née, où, été",
        "Müller, Schröder, Groß, Jäger, Köhler, Böhm, Vögel, für, über, schön, Straße, Übung, Ärger, Öl, Mädchen, Füße",
        "não, você, são, João, ação, maçã, pão, mãe, português, Conceição, avó, avô, três, até, já, só, útil, água",
        "año, niño, señor, mañana, corazón, más, está, día, José, Muñoz, Núñez, cómo, qué, sí, él, tú, aquí, allá",
        "Łódź, Gdańsk, źródło, zażółć gęślą jaźń; Dvořák, Plzeň, Škoda, žluťoučký kůň; Győr, Pécs, fűnyíró",
        "Jönköping, Malmö, Åre, Ærø, Tromsø, blåbær, smörgåsbord, fjäll, sjö, öre, ål, på, är, då, må, så, få",
        "Москва, Санкт-Петербург, получено; 東京, 大阪, 申請; ກຸງວຽງຈັນ, ភ្នំពេញ, กรุงเทพ",
        "10 m² × 5 m²; ½ ¼ ¾; 20 °C; © ® ™; £5 ¥6 ¢7 §8; « oui »; “no”; … • → ≥ ≤; 🙂 🚀; µm µg; naïve",
        "HĐND, QĐ-UBND, NĐ-CP, Đ.A, TTĐT, CĐ, ĐT, BHXH, VPĐK",
        "Đắk Nông, Krông Nô, Ê Đê, Cư M'gar, Plei Ku, Ea H'leo, Kon Plông, Đăk Glei, Đăk Hà",
    ],
)
def test_other_languages_and_signs_are_not_suspected(text: str) -> None:
    assert suspect(text.encode()) == ""
    assert suspect((text * 50).encode()) == ""


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Céng hßa x· héi chñ nghÜa ViÖt Nam, §éc lËp - Tù do - H¹nh phóc", "tcvn3"),
        ("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam, Ñoäc laäp - Töï do - Haïnh phuùc", "vni"),
    ],
)
def test_the_tables_read_what_the_fonts_showed(written: str, name: str) -> None:
    shown = "Cộng hòa xã hội chủ nghĩa Việt Nam, Độc lập - Tự do - Hạnh phúc"
    assert READINGS[name](written.encode("cp1252")) == shown
    assert suspect(written.encode()) == suspect(written.encode("cp1252")) == name


def test_each_font_has_every_vietnamese_letter() -> None:
    small = {letter for letter in TCVN3 if letter.islower()}
    assert small <= set(VNI)
    assert len(small) == 12 * 6 + 1 - 6  # twelve vowels with six tones, đ, less the six that are ASCII


def test_syllables_are_known() -> None:
    text = "giấy quyết nghiêng Nguyễn HUỲNH khuỷu gìn ở ý thuở hoà hòa Đoàn quỳnh quýt"
    for form in ("NFC", "NFD"):
        words = unicodedata.normalize(form, text).split()  # type: ignore[arg-type]
        assert [word for word in words if not is_syllable(word)] == []


def test_what_is_no_syllable_is_known_too() -> None:
    text = "für été năc học1 Coäng hßa über điềmm qwê bàt hoạ̀ HĐND"
    assert [word for word in text.split() if is_syllable(word)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", True),
        (b"abc\n", True),
        ("Trả kết quả\n".encode(), True),
        ("Trả kết quả\n".encode() + b"\xff\n", True),
        ("\ufffd\n".encode(), True),
        (b"\xff\n", False),
        ("Trả kết quả".encode()[:4] + b"\xe3\xb5\xb8\xff\xfe", False),
    ],
)
def test_stray_bytes_do_not_make_a_text_another_encoding(text: bytes, expected: bool) -> None:
    assert is_utf8(text) is expected
