"""The one door to SQL: tables in, Arrow tables out, whichever engine stands behind it."""

from procmon.engine.duckdb import Engine, quoted, sql_text

__all__ = ["Engine", "quoted", "sql_text"]
