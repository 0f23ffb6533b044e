"""Units in time: which unit of a day stands for a unit of then (rulebook 8)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import pyarrow as pa

from procmon.tables import COMMUNE_KINDS, TEXT, UNDETERMINED

Row = dict[str, Any]


class Units:
    """The registry's units as (code, date), with whole successions followed; a split unit is never guessed."""

    def __init__(self, versions: pa.Table, heirs: pa.Table) -> None:
        """`versions` and `heirs` are measure's tables `unit_versions` and UNIT_HEIRS."""
        self.versions: dict[str, list[Row]] = defaultdict(list)
        for row in versions.to_pylist():
            self.versions[row["unit_id"]].append(row)
        self._version_of = {row["unit_key"]: row for rows in self.versions.values() for row in rows}
        self._heirs: list[Row] = heirs.to_pylist()

    def on(self, unit_id: str, day: date) -> Row | None:
        """The version of a code that is valid on `day`."""
        return next((v for v in self.versions.get(unit_id, ()) if v["valid_from"] <= day < v["ends_on"]), None)

    def key(self, unit_id: str, day: date) -> str:
        """The unit's key on `day`: code@valid_from, code@ where nobody knows it."""
        version = self.on(unit_id, day)
        return version["unit_key"] if version else f"{unit_id}@"

    def said(self, key: str, day: date) -> str:
        """What a unit is called in figures: its code if the code still means it on `day`, else its key."""
        code = key.rpartition("@")[0]
        return code if code and self.key(code, day) == key else key

    def name(self, key: str) -> str:
        """The name that belongs to a key; empty where it is unknown."""
        version = self._version_of.get(key)
        return str(version["name"] or "") if version else ""

    def home(self, unit_id: str, day: date) -> set[str]:
        """The codes that share a unit's territory on `day`: a commune-level unit's with its own centres."""
        version = self.on(unit_id, day)
        if version and version["kind"] == "centre":
            parent = self.on(version["parent_unit_id"] or "", day)
            version = parent if parent and parent["kind"] in COMMUNE_KINDS else None
        if version is None or version["kind"] not in COMMUNE_KINDS:
            return {unit_id}
        code = version["unit_id"]
        known = ((other, self.on(other, day)) for other in self.versions)
        return {code, *(other for other, v in known if v and v["kind"] == "centre" and v["parent_unit_id"] == code)}

    def department(self, key: str, day: date) -> str:
        """The key of the department that a unit is, or stands below on `day`; empty where there is none."""
        code, seen = key.rpartition("@")[0], set[str]()
        version = next((v for v in self.versions.get(code, ()) if v["unit_key"] == key), None)
        while version and version["unit_key"] not in seen:
            if version["kind"] == "department":
                return str(version["unit_key"])
            seen.add(version["unit_key"])
            version = self.on(version["parent_unit_id"] or "", day)
        return ""

    def heirs(self, day: date) -> dict[str, str]:
        """The key of each unit that was taken over whole by `day` → the key of the unit that stands for it then."""
        return {
            row["unit_key"]: row["heir_key"]
            for row in self.heirs_on(day)
            if row["is_whole"] and row["heir_key"] != row["unit_key"]
        }

    def heirs_on(self, day: date) -> list[Row]:
        """The rows of UNIT_HEIRS that hold on `day`."""
        return [row for row in self._heirs if row["from_on"] <= day < row["to_on"]]

    def mapping(self, day: date) -> pa.Table:
        """What has become of each unit that is no more itself by `day`: `unit_key`, `today_key`, `told_key`.

        `today_key` is the unit that stands for it, else itself; `told_key` the same, but UNDETERMINED where that is no
        unit of the day. A code that nobody knows stays itself.
        """
        heirs = self.heirs(day)
        rows = []
        for key in sorted({*self._version_of, *heirs}):
            today = heirs.get(key, key)
            version = self._version_of.get(today)
            is_gone = version is not None and not version["valid_from"] <= day < version["ends_on"]
            told = UNDETERMINED if is_gone else today
            if told != key:
                rows.append((key, today, told))
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        names = ("unit_key", "today_key", "told_key")
        return pa.table({name: pa.array(column, TEXT) for name, column in zip(names, columns, strict=True)})

    def told(self, day: date) -> dict[str, str]:
        """The key of each unit that is no more itself by `day` → what stands for it in what is told by unit."""
        table = self.mapping(day)
        return dict(zip(table["unit_key"].to_pylist(), table["told_key"].to_pylist(), strict=True))
