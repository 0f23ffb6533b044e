"""The order of rows, files and batches never changes a figure, and the same input twice changes nothing."""

from __future__ import annotations

import random
import re
from email import message_from_bytes
from email.policy import default
from html import unescape
from pathlib import Path

import pytest

from tests.office import city_rows, figures, load_city, make_office, procmon, shown, write_log
from tests.smtp_server import MailServer

AS_OF = ("--as-of", "2025-12-31")
TABLES = ("dossiers", "form-06", "reductions")


@pytest.fixture(scope="module")
def rows():
    return city_rows(16)


@pytest.fixture(scope="module")
def first_office(tmp_path_factory, rows) -> Path:
    """An office with the log in; no run yet."""
    return make_office(tmp_path_factory.mktemp("first") / "office", rows)


def test_a_log_shuffled_split_and_ingested_twice_gives_the_same_bytes(first_office, tmp_path, rows):
    mixed = random.Random(5).sample(rows, len(rows))
    parts = [write_log(tmp_path / f"part-{n}.csv.gz", mixed[n::5]) for n in range(5)]
    other = tmp_path / "office"
    procmon("init", other)
    load_city(other)
    said = procmon("ingest", *parts, *reversed(parts), "--workspace", other).out
    assert said.count("batch") == 10
    procmon("baseline", "publish", "--workspace", other)
    for what in TABLES:
        for words in (AS_OF, ("--period", "2025-Q3")):
            assert shown(other, what, *words) == shown(first_office, what, *words)


def test_a_second_run_on_the_same_inbox_stores_sends_and_moves_nothing(office, rows):
    again = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[-400:]]
    write_log(office / "inbox" / "night.csv", again)
    first = procmon("run", *AS_OF, "--workspace", office).out
    assert f"{len(again)} rows read, {len(again)} stored, 0 repeated" in first
    assert "3 written" in first
    mails = {path: path.read_bytes() for path in (office / "outbox").iterdir()}
    write_log(office / "inbox" / "night.csv", again)
    second = procmon("run", *AS_OF, "--workspace", office).out
    assert f"{len(again)} rows read, 0 stored, {len(again)} repeated" in second
    assert second.endswith("0 corrections\nmails: nothing was due\n")
    assert {path: path.read_bytes() for path in (office / "outbox").iterdir()} == mails
    assert figures(office, 1) == figures(office, 2)
    assert len(figures(office, 1)) > 1000


def test_a_runs_mails_arrive_whole_and_once(office):
    with MailServer() as server:
        smtp = {
            "PROCMON_SMTP__HOST": "localhost",
            "PROCMON_SMTP__PORT": str(server.port),
            "PROCMON_SMTP__SECURITY": "none",
            "PROCMON_SMTP__SENDER": "procmon@haiphong.example",
        }
        said = procmon("run", *AS_OF, "--workspace", office, env=smtp).out
        procmon("run", *AS_OF, "--workspace", office, env=smtp)
        procmon("send", "--retry-failed", "--workspace", office, env=smtp)
        received = [(mail.recipient, message_from_bytes(mail.mime, policy=default)) for mail in server.script.mails]
    assert sorted(recipient for recipient, _ in received) == [
        "giam-doc@haiphong.example",
        "lanh-dao@haiphong.example",
        "lanh-dao@haiphong.example",
    ]
    assert len({mail["Message-ID"] for _, mail in received}) == 3
    for _, mail in received:
        assert in_text(mail, headlines(mail)) == headlines(mail)
    of_city = [mail for recipient, mail in received if recipient.startswith("lanh-dao")]
    printed = dict(line.strip().split(": ", 1) for line in said.splitlines() if line.startswith("  "))
    assert len(printed) == 16
    assert [headlines(mail) for mail in of_city] == [printed, printed]  # the month's last day, and the month
    assert all(n_pictures(mail) > 0 for mail in of_city)
    assert all(n_pictures(mail) >= 0 for _, mail in received)


def headlines(mail) -> dict[str, str]:
    """The headline figures of the HTML part."""
    body = mail.get_body(preferencelist=("html",)).get_content()
    cells = re.findall(r'<th class="what"[^>]*>(.*?)</th><td class="figure"[^>]*>(.*?)</td>', body)
    assert cells
    return {unescape(label): unescape(text) for label, text in cells}


def in_text(mail, labels) -> dict[str, str]:
    """The headline figures of the text part, of the given labels."""
    body = mail.get_body(preferencelist=("plain",)).get_content()
    told = dict(line[2:].split(": ", 1) for line in body.splitlines() if line.startswith("* ") and ": " in line)
    return {label: told[label] for label in labels}


def n_pictures(mail) -> int:
    """How many pictures the mail shows; each must be a part of it, and each part shown."""
    html = mail.get_body(preferencelist=("html",)).get_content()
    held = {part["Content-ID"].strip("<>") for part in mail.walk() if part["Content-ID"]}
    used = {piece.split('"')[0] for piece in html.split('src="cid:')[1:]}
    assert used == held
    return len(used)
