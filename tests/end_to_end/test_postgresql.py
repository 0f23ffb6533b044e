"""Registry and ledger in a real PostgreSQL: the same figures as on SQLite, and nothing of them in the workspace."""

from __future__ import annotations

from pathlib import Path

from tests.office import city_rows, figures, make_office, procmon, shown

pytest_plugins = ["postgres"]
AS_OF = ("--as-of", "2025-12-31")


def test_an_office_on_postgresql_has_the_figures_of_one_on_sqlite(postgres_url, tmp_path):
    rows = city_rows(24)
    (tmp_path / "sqlite").mkdir()
    on_sqlite = make_office(tmp_path / "sqlite" / "office", rows)
    procmon("run", *AS_OF, "--workspace", on_sqlite)
    expected = figures(on_sqlite, 1)
    tables = [shown(on_sqlite, what) for what in ("dossiers", "form-06", "targets", "due-soon")]

    there = {"PROCMON_WORKSPACE__DATABASE_URL": postgres_url}
    office = on_postgresql(tmp_path / "postgresql" / "office", rows, there)
    procmon("run", *AS_OF, "--workspace", office)
    assert figures(office, 1) == expected
    assert [shown(office, what) for what in ("dossiers", "form-06", "targets", "due-soon")] == tables
    assert list(office.glob("procmon.db*")) == []
    assert len(list((office / "outbox").glob("*.eml"))) == 3

    assert "0 differ" in procmon("run", "--repeat", "1", "--workspace", office).out
    assert "nothing was due" in procmon("run", *AS_OF, "--workspace", office).out
    moved = procmon("batch", "retract", "1", "--why", "a test", "--workspace", office).out
    assert len(moved.splitlines()) > 100
    sql = "SELECT count(*) AS n FROM figures WHERE run_id = 1"
    assert procmon("query", sql, "--format", "csv", "--workspace", office).out == f"n\n{len(expected)}\n"


def on_postgresql(workspace: Path, rows: list[dict[str, str]], there: dict[str, str]) -> Path:
    """An office whose procmon.toml names the database."""
    workspace.parent.mkdir()
    procmon("init", workspace, env=there)
    url = there["PROCMON_WORKSPACE__DATABASE_URL"]
    (workspace / "procmon.toml").write_text(f'[workspace]\ndatabase_url = "{url}"\n', encoding="utf-8")
    return make_office(workspace, rows, is_new=False)


def test_a_server_that_is_gone_is_named_without_its_password(tmp_path):
    gone = {"PROCMON_WORKSPACE__DATABASE_URL": "postgresql://procmon:canary-4711@127.0.0.1:9/procmon"}
    procmon("init", tmp_path / "office")
    said = procmon("show", "runs", "--workspace", tmp_path / "office", env=gone, code=12)
    assert "127.0.0.1" in said.err
    assert "Remedy: " in said.err
    assert "canary" not in said.err
