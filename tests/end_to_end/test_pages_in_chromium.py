"""Pages and mails in Debian's Chromium, on a phone and on a desk: nothing overflows, no picture is broken."""

import base64
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import report_samples as samples

from procmon.report import build

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
CASES = {
    "city": lambda: (samples.city(), samples.about()),
    "centre": samples.centre,
    "department": samples.department,
    "hostile": samples.hostile,
    "empty": lambda: (samples.empty(), samples.about(baseline="", n_dossiers=0)),
}
OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter(e =>
    !e.closest('.scroll') && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(e => e.outerHTML.slice(0, 120))"""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages():
    return {name: build(*made()) for name, made in CASES.items()}


def open_html(browser, path: Path, html: str, width: int):
    path.write_text(html, encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.on("dialog", lambda dialog: pytest.fail("a script ran"))
    tab.goto(path.as_uri())
    return tab


def assert_is_whole(tab, width: int, n_images: int) -> None:
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    assert tab.evaluate(OVERFLOWING) == []
    shown = tab.evaluate("[...document.images].map(i => i.complete && i.naturalWidth > 0)")
    assert shown == [True] * n_images


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("name", list(CASES))
def test_a_page_fits_a_phone_and_a_desk(browser, pages, tmp_path, name, width):
    page = pages[name]
    tab = open_html(browser, tmp_path / "page.html", page.html, width)
    assert_is_whole(tab, width, len(page.images))
    tab.close()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("name", list(CASES))
def test_a_mail_fits_a_phone_and_a_desk(browser, pages, tmp_path, name, width):
    page, html = pages[name], pages[name].mail_html
    for image in page.images:  # what a mail reader does with the parts that the mail carries
        data = base64.b64encode(image.png).decode()
        html = html.replace(f'"cid:{image.name}"', f'"data:image/png;base64,{data}"')
    tab = open_html(browser, tmp_path / "mail.html", html, width)
    assert_is_whole(tab, width, len(page.images))
    tab.close()


def test_the_page_prints(browser, pages, tmp_path):
    tab = open_html(browser, tmp_path / "page.html", pages["city"].html, 1200)
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert tab.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    tab.close()
