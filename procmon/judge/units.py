"""Units in time: which unit of a day stands for a unit of then (rulebook 8)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from procmon.tables import TEXT


class Units:
    """The registry's units as (code, date), with whole successions followed; a split unit stays itself."""

    def __init__(self, versions: pa.Table, successions: pa.Table) -> None:
        """`versions` is measure's table `unit_versions`, `successions` the registry's."""
        self.versions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in versions.to_pylist():
            self.versions[row["unit_id"]].append(row)
        self.successions = successions.to_pylist()

    def on(self, unit_id: str, day: date) -> dict[str, Any] | None:
        """The version of a code that is valid on `day`."""
        return next((v for v in self.versions.get(unit_id, ()) if v["valid_from"] <= day < v["ends_on"]), None)

    def key(self, unit_id: str, day: date) -> str:
        """The unit's key on `day`: code@valid_from, code@ where nobody knows it."""
        version = self.on(unit_id, day)
        return version["unit_key"] if version else f"{unit_id}@"

    def said(self, key: str, day: date) -> str:
        """What a unit is called in figures: its code if the code still means it on `day`, else its key."""
        code = key.rpartition("@")[0]
        return code if self.key(code, day) == key else key

    def name(self, key: str) -> str:
        """The name that belongs to a key; empty where it is unknown."""
        code = key.rpartition("@")[0]
        return next((str(v["name"] or "") for v in self.versions.get(code, ()) if v["unit_key"] == key), "")

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
        takers: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in self.successions:
            if row["effective_on"] <= day:
                old = self.key(row["old_unit_id"], row["effective_on"] - timedelta(days=1))
                takers[old].append((self.key(row["new_unit_id"], row["effective_on"]), row["extent"]))
        whole = {old: new[0][0] for old, new in takers.items() if len(new) == 1 and new[0][1] == "whole"}
        found = {}
        for old in whole:
            key, seen = old, {old}
            while key in whole and whole[key] not in seen:
                key = whole[key]
                seen.add(key)
            if key != old:
                found[old] = key
        return found

    def mapping(self, day: date) -> pa.Table:
        """`heirs` as a table: `unit_key`, `today_key`."""
        heirs = self.heirs(day)
        keys = sorted(heirs)
        return pa.table({"unit_key": pa.array(keys, TEXT), "today_key": pa.array([heirs[key] for key in keys], TEXT)})
