"""Each function that our SQL may use, against plain Python; and what a person's SQL may not do."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procmon.config import EngineSettings
from procmon.engine import Engine
from procmon.engine.duckdb import FUNCTIONS, steps_of
from procmon.errors import UsageProblem
from procmon.tables import DAY, FIRST_DAY, INSTANT, INT, LAST_DAY, TEXT

HAIPHONG = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST, LAST = datetime.combine(FIRST_DAY, datetime.min.time()), datetime.combine(LAST_DAY, datetime.min.time())

instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
walls = st.datetimes(FIRST, LAST)
days = st.dates(FIRST_DAY, LAST_DAY)
numbers = st.integers(-(2**40), 2**40)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(EngineSettings(threads=1)) as opened:
        yield opened


def answers(engine: Engine, sql: str, rows: list[dict[str, Any]], types: dict[str, pa.DataType]) -> list[Any]:
    """`sql` for each row of arguments."""
    table = pa.Table.from_pylist([{**row, "n_": n} for n, row in enumerate(rows)], schema=_schema(types))
    engine.give("arguments", table)
    return engine.query(f"SELECT {sql} AS answer FROM arguments ORDER BY n_ NULLS FIRST")["answer"].to_pylist()


def _schema(types: dict[str, pa.DataType]) -> pa.Schema:
    return pa.schema([*types.items(), ("n_", INT)])


def lists(**arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(arguments), min_size=1, max_size=20)


def test_every_function_has_a_parity_test() -> None:
    tested = {name.removeprefix("test_parity_of_") for name in globals() if name.startswith("test_parity_of_")}
    assert tested == {head.partition("(")[0] for head in FUNCTIONS}


@given(lists(moment=instants))
def test_parity_of_local_day(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "local_day(moment, 'Asia/Ho_Chi_Minh')", rows, {"moment": INSTANT})
    assert found == [row["moment"].astimezone(HAIPHONG).date() for row in rows]


@given(lists(moment=instants))
def test_parity_of_utc_day(engine: Engine, rows: list[dict[str, Any]]) -> None:
    assert answers(engine, "utc_day(moment)", rows, {"moment": INSTANT}) == [row["moment"].date() for row in rows]


@given(lists(wall=walls))
def test_parity_of_minute_of(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "minute_of(wall)", rows, {"wall": pa.timestamp("us")})
    assert found == [row["wall"].hour * 60 + row["wall"].minute for row in rows]


@given(lists(wall=walls))
def test_parity_of_second_of(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "second_of(wall)", rows, {"wall": pa.timestamp("us")})
    assert found == [row["wall"].second for row in rows]


@given(lists(day=days, second=st.integers(0, 86_400)))
def test_parity_of_instant_at(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "instant_at(day, second, 'Asia/Ho_Chi_Minh')", rows, {"day": DAY, "second": INT})
    midnights = [datetime.combine(row["day"], datetime.min.time(), HAIPHONG) for row in rows]
    assert found == [at + timedelta(seconds=row["second"]) for at, row in zip(midnights, rows, strict=True)]


@given(lists(moment=instants))
def test_parity_of_whole_second(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "whole_second(moment)", rows, {"moment": INSTANT})
    assert found == [int(row["moment"].replace(microsecond=0).timestamp()) for row in rows]


@given(lists(day=days, n=st.integers(0, 3650)))
def test_parity_of_days_after(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "days_after(day, CAST(n AS INTEGER))", rows, {"day": DAY, "n": INT})
    assert found == [row["day"] + timedelta(days=row["n"]) for row in rows]


@given(lists(day=days, n=st.integers(0, 120)))
def test_parity_of_months_after(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = answers(engine, "months_after(day, CAST(n AS INTEGER))", rows, {"day": DAY, "n": INT})
    assert found == [_months_after(row["day"], row["n"]) for row in rows]


def _months_after(day: date, n: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@given(lists(a=numbers, b=numbers, c=numbers, d=numbers))
def test_parity_of_overlap(engine: Engine, rows: list[dict[str, int]]) -> None:
    found = answers(engine, "overlap(a, b, c, d)", rows, dict.fromkeys("abcd", INT))
    assert found == [max(min(row["b"], row["d"]) - max(row["a"], row["c"]), 0) for row in rows]


@given(lists(seconds=numbers))
def test_parity_of_floor_minutes(engine: Engine, rows: list[dict[str, int]]) -> None:
    found = answers(engine, "floor_minutes(seconds)", rows, {"seconds": INT})
    assert found == [row["seconds"] // 60 for row in rows]


@given(st.lists(numbers, min_size=1, max_size=30), st.integers(0, 100))
def test_parity_of_interpolation(engine: Engine, values: list[int], percent: int) -> None:
    rows = [{"place": n, "value": value} for n, value in enumerate(sorted(values))]
    weighted = f"value * interpolation(place, {len(rows) - 1}, {percent})"
    found = sum(answers(engine, weighted, rows, {"place": INT, "value": INT}))
    at = Fraction((len(rows) - 1) * percent, 100)
    below, above = sorted(values)[int(at)], sorted(values)[min(int(at) + 1, len(rows) - 1)]
    assert Fraction(found, 100) == below + (above - below) * (at - int(at))


@given(lists(code=st.text(st.sampled_from("1.Hđ"), max_size=8)))
def test_parity_of_national_part(engine: Engine, rows: list[dict[str, str]]) -> None:
    codes = [row["code"] for row in rows if "." in row["code"]]
    given_codes = [{"code": code} for code in codes]
    found = answers(engine, "national_part(code)", given_codes, {"code": TEXT}) if codes else []
    assert found == [".".join(code.split(".")[:2]) for code in codes]


def test_an_empty_argument_gives_an_empty_answer(engine: Engine) -> None:
    sql = "local_day(moment, 'UTC') IS NULL AND whole_second(moment) IS NULL AND instant_at(day, 0, 'UTC') IS NULL"
    assert answers(engine, sql, [{"moment": None, "day": None}], {"moment": INSTANT, "day": DAY}) == [True]


# ---- steps


def test_steps_run_in_order_and_see_those_before() -> None:
    with Engine(EngineSettings()) as engine:
        engine.steps("-- A thought.\n-- step: one\nSELECT 1 AS a\n\n-- step: two\nSELECT a + 1 AS b FROM one;\n")
        assert engine.query("SELECT b FROM two").to_pylist() == [{"b": 2}]


def test_a_step_keeps_its_comments_out_of_the_way() -> None:
    assert steps_of("head\n-- step: a\n-- why\nSELECT 1\n-- step: b\nSELECT 2;") == [
        ("a", "-- why\nSELECT 1"),
        ("b", "SELECT 2"),
    ]


def test_sql_sees_only_what_it_was_given() -> None:
    hidden = pa.table({"a": [1]})
    with Engine(EngineSettings()) as engine, pytest.raises(Exception, match="hidden"):
        engine.query("SELECT * FROM hidden")
    assert hidden.num_rows == 1


# ---- a person's SQL


@pytest.fixture
def asked() -> Iterator[Engine]:
    with Engine(EngineSettings(threads=1)) as engine:
        engine.give("dossiers", pa.table({"dossier_id": ["1", "2"], "outcome": ["finished", "pending"]}))
        yield engine


def test_a_select_is_answered(asked: Engine) -> None:
    sql = "SELECT outcome, count(*) AS n FROM dossiers GROUP BY 1 ORDER BY 1;  -- all of them"
    found, is_cut = asked.ask(sql, seconds=10, rows=10)
    assert found.to_pylist() == [{"outcome": "finished", "n": 1}, {"outcome": "pending", "n": 1}]
    assert not is_cut


@pytest.mark.parametrize("sql", ["WITH a AS (SELECT 1 AS b) SELECT * FROM a", "DESCRIBE dossiers", "FROM dossiers"])
def test_other_words_for_a_select_are_answered_too(asked: Engine, sql: str) -> None:
    assert asked.ask(sql, seconds=10, rows=10)[0].num_rows > 0


HOSTILE = [
    "DELETE FROM dossiers",
    "UPDATE dossiers SET outcome = 'finished'",
    "INSERT INTO dossiers VALUES ('3', 'x')",
    "MERGE INTO dossiers USING dossiers AS d ON false WHEN NOT MATCHED THEN INSERT VALUES ('3', 'x')",
    "WITH gone AS (DELETE FROM dossiers RETURNING *) SELECT * FROM gone",
    "WITH gone AS (COPY (SELECT 1) TO '{file}') SELECT 1",
    "SELECT * FROM (WITH gone AS (DELETE FROM dossiers RETURNING *) SELECT * FROM gone)",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE MACRO mine() AS 1",
    "DROP TABLE dossiers",
    "ALTER TABLE dossiers ADD COLUMN mine INTEGER",
    "TRUNCATE dossiers",
    "ATTACH '{file}' AS mine",
    "DETACH temp",
    "USE temp",
    "COPY dossiers TO '{file}'",
    "COPY dossiers FROM '{file}'",
    "EXPORT DATABASE '{file}'",
    "IMPORT DATABASE '{file}'",
    "PRAGMA database_list",
    "SET threads = 8",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "PREPARE mine AS SELECT 1",
    "BEGIN",
    "EXPLAIN ANALYZE DELETE FROM dossiers",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE dossiers",
    "SELECT 1) UNION ALL (SELECT 2",
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sqlite_scan('{file}', 'runs')",
    "SELECT * FROM no_such_table",
    "SELECT no_such_column FROM dossiers",
    "SELEC 1",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_anything_but_a_select_over_the_tables_is_refused(asked: Engine, sql: str, tmp_path: Path) -> None:
    file = tmp_path / "secrets.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UsageProblem):
        asked.ask(sql.format(file=file), seconds=5, rows=10)
    assert file.read_text(encoding="utf-8") == "a,b\n1,2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.csv"]
    assert asked.query("SELECT count(*) AS n FROM dossiers").to_pylist() == [{"n": 2}]


def test_a_refusal_says_what_to_do(asked: Engine) -> None:
    with pytest.raises(UsageProblem, match="only one SELECT statement is answered") as refused:
        asked.ask("DELETE FROM dossiers", seconds=5, rows=10)
    assert "procmon batch retract" in refused.value.remedy


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a) SELECT max(n) FROM a",
        "SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b",
    ],
)
def test_an_endless_query_is_stopped_in_time(asked: Engine, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(UsageProblem, match=r"longer than 0\.5 s") as refused:
        asked.ask(sql, seconds=0.5, rows=10)
    assert time.monotonic() - began < 5
    assert "engine.query_seconds" in refused.value.remedy


def test_a_billion_rows_are_cut_without_holding_them(asked: Engine) -> None:
    found, is_cut = asked.ask("SELECT * FROM range(1000000000000)", seconds=30, rows=25)
    assert (found.num_rows, is_cut) == (25, True)


@pytest.mark.parametrize(("n", "expected"), [(24, (24, False)), (25, (25, False)), (26, (25, True))])
def test_rows_are_cut_at_the_limit_and_it_is_said(asked: Engine, n: int, expected: tuple[int, bool]) -> None:
    found, is_cut = asked.ask(f"SELECT * FROM range({n})", seconds=30, rows=25)
    assert (found.num_rows, is_cut) == expected
