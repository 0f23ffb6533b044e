"""Headers: Vietnamese comes through whole, and nothing becomes a header line that was not meant to."""

from __future__ import annotations

import unicodedata
from email import message_from_bytes, policy
from email.header import decode_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procmon.errors import SettingsError
from procmon.send.headers import check_address, check_header, encode_words, sender_address

WRITTEN = (
    "thủ tục hành chính hồ sơ đất đai giải quyết trước hạn quá hạn phường Hồng Bàng quận Lê Chân xã Vĩnh Bảo huyện "
    "Tiên Lãng đặc khu Bạch Long Vĩ ngày tháng 11/2026 83,47 % Trung tâm Phục vụ công Sở Nông nghiệp và Môi trường "
    "nghiêng ngoằn ngoèo Đăng ký kinh doanh (TTHC) – 1.907 1.000123 a b I"
)
subjects = st.lists(st.sampled_from(WRITTEN.split()), min_size=3, max_size=30).map(" ".join)
forms = st.sampled_from(["NFC", "NFD"])
printable = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


def decoded(encoded: str) -> str:
    """What a reader of mails makes of a header's value; folds go as a parser takes them out."""
    parts = decode_header(encoded.replace("\r\n ", " "))
    return "".join(p if isinstance(p, str) else p.decode(charset or "ascii") for p, charset in parts)


def words(encoded: str) -> list[str]:
    return [word for word in encoded.split() if word.startswith("=?")]


@settings(max_examples=2000, deadline=None)
@given(subjects, forms)
def test_a_vietnamese_subject_is_read_as_it_was_written(subject: str, form: str) -> None:
    text = unicodedata.normalize(form, subject)
    encoded = encode_words(text, column=len("Subject: "))
    assert decoded(encoded) == text
    assert all(len(word) <= 75 for word in words(encoded))
    assert all(len(line) <= 76 for line in f"Subject: {encoded}".split("\r\n"))


@settings(max_examples=1000, deadline=None)
@given(printable.filter(lambda text: "=?" not in text), st.integers(0, 20))
def test_any_text_without_controls_is_read_as_it_was_written(text: str, column: int) -> None:
    encoded = encode_words(text, column=column)
    assert decoded(encoded) == text
    assert encoded.isascii()
    assert all(len(word) <= 75 for word in words(encoded))


def test_each_word_decodes_alone_since_no_character_is_split() -> None:
    encoded = encode_words("Phường Hồng Bàng 🏛️ giải quyết hồ sơ đúng hạn và trước hạn trong quý III năm 2026")
    assert len(words(encoded)) > 1
    for word in words(encoded):
        [(raw, charset)] = decode_header(word)
        assert charset == "utf-8"
        assert raw.decode("utf-8")


def test_short_plain_ascii_stays_as_it_is() -> None:
    assert encode_words("procmon: 3 late") == "procmon: 3 late"


@pytest.mark.parametrize("text", ["x" * 200, " led by a space", "ended by one ", "tab\there", "a =?utf-8?q?b?= c"])
def test_ascii_that_a_header_would_change_is_encoded(text: str) -> None:
    assert encode_words(text).startswith("=?utf-8?b?")
    assert decoded(encode_words(text)) == text


HOSTILE = ["\r", "\n", "\0", "\t", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "=?"]


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize("place", ["{}Bcc: x@y.vn", "Báo cáo{}", "a{}Bcc: x@y.vn"])
def test_text_that_could_start_a_line_or_a_word_is_refused_by_name(bad: str, place: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_header(place.format(bad), "the subject")
    assert str(caught.value).startswith("the subject: ")
    assert str(caught.value).isprintable()
    assert caught.value.remedy


@settings(max_examples=2000, deadline=None)
@given(
    st.lists(
        st.sampled_from([*HOSTILE[:-2], "=?UTF-8?Q?=0A?=", "Bcc: x@y.vn", "phường", " ", "Q?=0ABcc:=20x@y?="])
    ).map("".join)
)
def test_no_foreign_header_line_appears_under_attempts_to_inject_one(subject: str) -> None:
    try:
        check_header(subject, "the subject")
    except SettingsError:
        return
    mime = f"Subject: {encode_words(subject, column=9)}\r\nTo: a@b.vn\r\n\r\nx".encode("ascii")
    for rules in (policy.compat32, policy.default, policy.SMTP):
        mail = message_from_bytes(mime, policy=rules)
        assert mail.keys() == ["Subject", "To"]
        again = message_from_bytes(mail.as_bytes(), policy=rules)
        assert again.keys() == ["Subject", "To"]


@pytest.mark.parametrize("address", ["an@haiphong.gov.vn", "a.b+c_d@xn--phng-fsa.vn", "root@localhost"])
def test_a_plain_address_is_taken(address: str) -> None:
    assert check_address(address, ()) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "an",
        "an@",
        "@vn",
        "a b@c.vn",
        "a@b.vn, c@d.vn",
        "An <an@b.vn>",
        '"a"@b.vn',
        "a..b@c.vn",
        "an@b..vn",
        "an@-b.vn",
        "ân@b.vn",
        "an@phường.vn",
        "a@b.vn\r\nBcc: c@d.vn",
        "a@b.vn\n",
        "a@b.vn> SIZE=1",
        "x" * 65 + "@b.vn",
        "=?a?=@b.vn",
        "an@[127.0.0.1]",
    ],
)
def test_anything_but_one_plain_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_address(address, ())
    assert caught.value.remedy


def test_mails_go_to_allowed_domains_only_and_a_subdomain_is_another() -> None:
    allowed = ["haiphong.gov.vn"]
    assert check_address("an@HaiPhong.gov.vn", allowed)
    for address in ("an@gmail.com", "an@so.haiphong.gov.vn", "an@evilhaiphong.gov.vn"):
        with pytest.raises(SettingsError, match=r"may not go to") as caught:
            check_address(address, allowed)
        assert "smtp.allowed_domains" in caught.value.remedy


def test_the_sender_is_the_setting_or_this_host() -> None:
    assert sender_address("bao-cao@haiphong.gov.vn") == "bao-cao@haiphong.gov.vn"
    assert sender_address("").startswith("procmon@")
    with pytest.raises(SettingsError, match=r"^smtp.sender: "):
        sender_address("no address")
