"""Which columns of a file are read, by the names that a mapping knows them by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from procmon.ingest.rows import RefusedError, SourceColumn
from procmon.text import fold_name

MOST_NAMES = 2000
"""Columns that nobody reads, of which the names are kept to be told."""

LONG_NUMBER = re.compile(r"\d{4}")
"""A year, a code, a telephone: in rows of data nearly always, in column names hardly ever."""

BLANKS = " \t\u00a0\u200b\ufeff"


class Chosen:
    """Which of the file's columns is read under which key: of a key's names, the first that the file has."""

    def __init__(self, sources: Sequence[SourceColumn], names: Iterable[str] = ()) -> None:
        self.sources = sources
        self.names: dict[str, None] = {}
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._found: dict[str, tuple[int, str]] = {}
        self._wanted: dict[str, list[tuple[int, int]]] = {}
        for place, source in enumerate(sources):
            for rank, name in enumerate(source.names):
                self._wanted.setdefault(fold_name(name), []).append((place, rank))
        for name in names:
            self.see(name)

    def is_known(self, name: str) -> bool:
        """Whether the mapping reads a column of this name."""
        return fold_name(name) in self._wanted

    def see(self, name: str) -> list[tuple[int, int]]:
        """(place among the sources, rank among its names) of a column of the file."""
        places = self._places.get(name)
        if places is None:
            places = self._wanted.get(fold_name(name), [])
            if places or len(self.names) < MOST_NAMES:  # of thousands of others not even the names are kept
                self._places[name] = places
                self.names[name] = None
            for place, rank in places:
                key = self.sources[place].key
                self._found[key] = min(self._found.get(key, (rank, name)), (rank, name))
        return places

    @property
    def found(self) -> dict[str, str]:
        """Key → the file's name of the column."""
        return {key: name for key, (_, name) in self._found.items()}

    def values(self, cells: Mapping[str, str]) -> list[str | None]:
        """The text of each source in one record."""
        values: list[str | None] = [None] * len(self.sources)
        ranks = [MOST_NAMES] * len(self.sources)
        for name, text in cells.items():
            for place, rank in self.see(name):
                if rank < ranks[place] and (cleaned := clean(text)):
                    values[place], ranks[place] = cleaned, rank
        return values

    def check(self, where: str) -> None:
        """Raises: RefusedError where a column that the mapping needs is not in the file."""
        missing = [s for s in self.sources if s.is_needed and s.key not in self._found]
        if not missing:
            return
        wanted = ", ".join(s.key if s.names == (s.key,) else f"{s.key} ({' or '.join(s.names[:4])})" for s in missing)
        found = ", ".join(sorted(filter(None, self.names), key=_is_of_log)[:20]) or "nothing"
        if not self._found and any(map(LONG_NUMBER.search, self.names)):
            found = "what looks like a row of data; has it no header?"  # which may name people
        raise RefusedError(
            f"{where}: column {wanted} is missing; found: {found}",
            "Choose another mapping (`procmon mapping list`), name the file's column in it, or draft one: "
            "`procmon mapping guess FILE`.",
        )

    def summary(self) -> dict[str, object]:
        """What the answer says of columns."""
        used = set(self.found.values())
        left = [name for name in self.names if name and name not in used]
        return {"found": self.found, "dropped": sorted(left, key=_is_of_log)}


def _is_of_log(name: str) -> bool:
    """Of an XES log's own attributes there may be dozens: they are named last."""
    return name.startswith("log:")


def clean(text: str) -> str:
    """A cell without blanks around it; line breaks inside are blanks of a wide column."""
    text = text.strip(BLANKS + "\r\n")
    return " ".join(text.split()) if "\n" in text or "\r" in text or "\t" in text else text
