"""DuckDB, embedded and in memory, as the engine behind every measure.

A measure is a list of named steps, each one thought and one SELECT; a step sees the tables given to the engine
and the steps before it. Integers only are aggregated (rulebook 6), every ORDER BY states its NULLS, and the
instants that SQL sees are UTC.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from procmon.config import EngineSettings
from procmon.errors import UsageProblem

FUNCTIONS = {
    "local_day(moment, zone)": "CAST(timezone(zone, moment) AS DATE)",
    "utc_day(moment)": "CAST(timezone('UTC', moment) AS DATE)",
    "minute_of(local_at)": "hour(local_at) * 60 + minute(local_at)",
    "second_of(local_at)": "CAST(second(local_at) AS BIGINT)",
    "instant_at(day, second, zone)": "timezone(zone, CAST(day AS TIMESTAMP) + to_seconds(second))",
    "whole_second(moment)": "epoch_us(moment) // 1000000",
    "days_after(day, n)": "CAST(day + n AS DATE)",
    "months_after(day, n)": "CAST(day + to_months(n) AS DATE)",
    "overlap(a, b, c, d)": "greatest(least(b, d) - greatest(a, c), 0)",
    "floor_minutes(seconds)": "(seconds - ((seconds % 60) + 60) % 60) // 60",
    "interpolation(place, last_place, percent)": (
        "CASE WHEN place = last_place * percent // 100 THEN 100 - last_place * percent % 100 "
        "WHEN place = last_place * percent // 100 + 1 THEN last_place * percent % 100 ELSE 0 END"
    ),
    "national_part(code)": "split_part(code, '.', 1) || '.' || split_part(code, '.', 2)",
}
"""The functions that our SQL may use beyond standard SQL, as DuckDB macros; each has a parity test."""

STEP = re.compile(r"^-- step: (\w+)(.*)$", re.MULTILINE)


def sql_text(room: str, name: str) -> str:
    """The text of `procmon/ROOM/sql/NAME.sql`."""
    return files(f"procmon.{room}").joinpath("sql", f"{name}.sql").read_text("utf-8")


def steps_of(text: str) -> list[tuple[str, str]]:
    """(name, SELECT) of each step of a SQL file; a step begins with the line `-- step: NAME`."""
    parts = STEP.split(text)
    return [(parts[i], parts[i + 2].strip().rstrip(";")) for i in range(1, len(parts), 3)]


def quoted(text: str) -> str:
    """`text` as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


class Engine:
    """One in-memory DuckDB; use as a context manager."""

    def __init__(self, settings: EngineSettings, scratch: Path | None = None) -> None:
        """`scratch` is the folder for what does not fit in memory (default: DuckDB's own)."""
        self._connection = duckdb.connect(":memory:")
        run = self._connection.execute
        run("SET GLOBAL TimeZone = 'UTC'")
        run("SET python_enable_replacements = false")
        run("SET autoinstall_known_extensions = false")
        run("SET autoload_known_extensions = false")
        run("SET preserve_insertion_order = false")
        run("SET enable_progress_bar = false")
        for head, body in FUNCTIONS.items():
            run(f"CREATE TEMP MACRO {head} AS {body}")
        if settings.memory_limit:
            run("SET memory_limit = ?", [settings.memory_limit])
        if settings.threads:
            run("SET threads = ?", [settings.threads])
        if scratch is not None:
            run("SET temp_directory = ?", [str(scratch)])

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def give(self, name: str, data: pa.Table) -> None:
        """Let SQL see an Arrow table as `name`."""
        self._connection.register("given", data)
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS FROM given')
        self._connection.unregister("given")

    def give_files(self, name: str, paths: Sequence[str], empty: pa.Schema) -> None:
        """Let SQL see Parquet files as `name`; a column of schema `empty` that none of them has is empty."""
        parts = []
        if empty.names:
            self.give(f"no {name}", empty.empty_table())
            parts.append(f'FROM "no {name}"')
        if paths:
            listed = ", ".join(map(quoted, paths))
            parts.append(f"FROM read_parquet([{listed}], union_by_name = true)")
        self._connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {" UNION ALL BY NAME ".join(parts)}')

    def step(self, name: str, select: str) -> None:
        """Keep the result of one SELECT as the table `name`."""
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {select}')

    def view(self, name: str, select: str) -> None:
        """Let SQL see one SELECT as `name`, computed anew wherever it is used."""
        self._connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {select}')

    def steps(self, text: str) -> None:
        """Run the steps of a SQL file in order."""
        for name, select in steps_of(text):
            self.step(name, select)

    def query(self, sql: str) -> pa.Table:
        """The result of one SELECT, as Arrow."""
        return self._connection.sql(sql).to_arrow_table()

    def drop(self, *names: str) -> None:
        """Give back the memory of tables that no later step needs."""
        for name in names:
            self._connection.execute(f'DROP TABLE IF EXISTS "{name}"')

    def ask(self, sql: str, *, seconds: float, rows: int) -> tuple[pa.Table, bool]:
        """A person's SQL: one SELECT, no files, no settings, limited in time and rows.

        Returns: the rows, and whether more were cut off. Afterwards the engine is locked for good.
        Raises: UsageProblem for anything else than a SELECT, for SQL that fails, and for one that takes too long.
        """
        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise UsageProblem(f"the query cannot be read: {_first_line(error)}") from error
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UsageProblem(
                "refused: only one SELECT statement is answered; the tables are read-only",
                remedy="Begin with SELECT or WITH. To take a batch out, use `procmon batch retract`.",
            )
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        timer = threading.Timer(seconds, self._connection.interrupt)
        timer.start()
        try:
            # DuckDB lets a WITH clause change tables, but not within a view.
            self._connection.execute(f"EXPLAIN CREATE TEMP VIEW asked_for AS\n{statements[0].query}")
            # Fetched batch by batch, so that a billion rows never stand in memory at once.
            reader = self._connection.sql(statements[0]).to_arrow_reader(10_000)
            batches: list[pa.RecordBatch] = []
            n = 0
            for batch in reader:
                batches.append(batch)
                n += batch.num_rows
                if n > rows:
                    break
            found = pa.Table.from_batches(batches, schema=reader.schema)
        except duckdb.InterruptException as error:
            raise UsageProblem(
                f"the query took longer than {seconds:g} s and was stopped",
                remedy="Narrow it, or raise engine.query_seconds.",
            ) from error
        except duckdb.Error as error:
            raise UsageProblem(f"the query cannot be answered: {_first_line(error)}") from error
        finally:
            timer.cancel()
        return found.slice(0, rows), n > rows


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
