"""What a newcomer sees first: the demo's pages and mails are there, readable, and keep their secrets."""

from __future__ import annotations

import csv
import gzip
import re
import stat
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from tests.end_to_end.test_pages_in_chromium import CHROMIUM, OVERFLOWING, browser  # noqa: F401 - a fixture
from tests.office import CITY, Said, procmon

AUDIENCES = ("city", "centre", "department")


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, Said]:
    workspace = tmp_path_factory.mktemp("demo") / "office"
    return workspace, procmon("demo", workspace)


def test_every_path_that_it_prints_is_there_and_no_page_or_mail_is_left_out(demo):
    workspace, said = demo
    printed = {Path(line) for line in said.out.splitlines() if line.startswith(str(workspace))}
    assert printed == {*workspace.rglob("*.html"), *workspace.rglob("*.eml")}
    names = {path.name.split("-")[0].removesuffix(".html") for path in printed if path.suffix == ".html"}
    assert names == set(AUDIENCES)
    assert sum(path.suffix == ".eml" for path in printed) == 10


def test_the_three_answers_are_printed(demo):
    said = demo[1].out
    assert re.search(r"Thời hạn trên giấy, bình quân các TTHC: giảm \d\d,\d%", said)
    assert re.search(r"Thời gian giải quyết thực tế, cùng cơ cấu TTHC: giảm \d\d,\d% \(khoảng tin cậy 95%", said)
    assert re.search(r"Đúng hạn theo thời hạn mới: \d\d,\d\d%", said)


def test_nobody_else_can_read_any_of_it(demo):
    workspace = demo[0]
    open_to_others = [p for p in [workspace, *workspace.rglob("*")] if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert open_to_others == []


def test_no_applicant_or_handler_is_named_anywhere(demo):
    workspace = demo[0]
    with gzip.open(CITY / "events.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    people = {row[column] for row in rows for column in ("applicant_id", "handler_id")} - {""}
    assert len(people) > 1000
    found = set()
    for path in workspace.rglob("*"):
        if path.suffix == ".parquet":
            found |= people & set(texts_of(path))
        elif path.is_file():
            content = path.read_bytes().decode("latin-1")
            found |= people & set(re.findall(r"[0-9A-Za-z_-]+", content))
    assert found == set()


def test_people_are_told_apart_by_their_hashes(demo):
    events = DeltaTable(demo[0] / "lake" / "events").to_pyarrow_table(columns=["applicant_id"])
    hashes = set(events["applicant_id"].to_pylist()) - {None}
    with gzip.open(CITY / "events.csv.gz", "rt", encoding="utf-8") as file:
        people = {row["applicant_id"] for row in csv.DictReader(file)} - {""}
    assert len(hashes) == len(people)


def texts_of(path: Path) -> list[str]:
    """Every text in a Parquet file."""
    table = pq.read_table(path)
    return [
        text
        for column in table.columns
        if str(column.type) in ("string", "large_string", "string_view")
        for text in column.unique().to_pylist()
        if text
    ]


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM}")
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("audience", AUDIENCES)
def test_its_pages_fit_a_phone_and_a_desk(demo, browser, audience, width):  # noqa: F811 - a fixture
    page = next((demo[0] / "reports" / "run-000001").glob(f"{audience}*.html"))
    tab = browser.new_page(viewport={"width": width, "height": 900})
    faults: list[str] = []
    tab.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or faults.append(request.url))
    tab.goto(page.as_uri())
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    assert tab.evaluate(OVERFLOWING) == []
    images = tab.evaluate("[...document.images].map(i => i.complete && i.naturalWidth > 0 && i.alt.length > 10)")
    assert all(images)
    assert images or audience == "centre"  # whose dossiers in the sample are too few for a chart
    assert faults == []
    tab.close()
