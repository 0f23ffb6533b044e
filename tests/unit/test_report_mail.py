"""The mail's two bodies and its subject: the poorest subset that mail readers share, with every figure."""

import re
from html import unescape

import pytest
import report_samples as samples
from test_report_page import text_of

from procmon.report import build

NUMBER = re.compile(r"\d[\d.,/:]*\d|\d")
CASES = {
    "city": lambda: (samples.city(), samples.about()),
    "centre": samples.centre,
    "department": samples.department,
    "hostile": samples.hostile,
    "empty": lambda: (samples.empty(), samples.about(baseline="", n_dossiers=0)),
}


@pytest.fixture(scope="module", params=list(CASES))
def page(request):
    return build(*CASES[request.param]())


def test_plain_text_has_every_number_of_the_html(page):
    alts = " ".join(unescape(alt) for alt in re.findall(r'alt="([^"]*)"', page.mail_html))
    assert set(NUMBER.findall(text_of(page.mail_html) + " " + alts)) <= set(NUMBER.findall(page.mail_text))


def test_both_bodies_hold_the_headlines_word_for_word(page):
    for label, figure in page.headlines.items():
        assert f"{label}: {figure}" in page.mail_text
        assert label in text_of(page.mail_html)
        assert figure in text_of(page.mail_html)


def test_the_mail_is_short(page):
    assert len(page.mail_html.encode()) <= 80_000
    data = re.findall(r'<table class="data".*?</table>', page.mail_html, re.S)
    listed = [table for table in data if 'scope="col"' in table]
    assert sum(table.count("<tr>") - 1 for table in listed) <= 40


def test_the_mail_keeps_to_what_mail_readers_understand(page):
    assert '<html lang="vi">' in page.mail_html
    for never in ("data:", "<svg", "url(", "var(", "flex", "<script", "<link", ";;"):
        assert never not in re.sub(r">[^<]*<", "><", page.mail_html)
    layout = re.findall(r'<table (?!class="data")[^>]*>', page.mail_html)
    assert layout
    assert all('role="presentation"' in table for table in layout)
    assert re.search(r'<td class="body" style="[^"]*padding', page.mail_html)


def test_every_picture_of_the_mail_is_there_with_width_and_words(page):
    pictures = re.findall(r"<img [^>]*>", page.mail_html)
    assert [re.search(r'src="cid:([^"]+)"', p)[1] for p in pictures] == [image.name for image in page.images]
    for picture, image in zip(pictures, page.images, strict=True):
        assert f'width="{image.width}"' in picture
        assert f"width:{image.width}px" in picture.replace(": ", ":")
        assert unescape(re.search(r'alt="([^"]*)"', picture)[1]) == image.alt


def test_the_subject_is_one_plain_line(page):
    assert page.subject.startswith("[procmon] Báo cáo TTHC ")
    assert page.subject.isprintable()
    assert "=?" not in page.subject
    assert len(page.subject) <= 200


def test_the_subject_says_whose_which_period_and_what():
    page = build(samples.city(), samples.about())
    assert page.subject == (
        "[procmon] Báo cáo TTHC thành phố Hải Phòng – tháng 11/2025 –"
        " thời gian thực tế: giảm 12,3% (chưa đạt); quá hạn: 123 hồ sơ"
    )
