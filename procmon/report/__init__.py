"""The report room: the tables of one audience, scope and period become a page and the parts of its mail."""

from procmon.report.pages import build

__all__ = ["build"]
