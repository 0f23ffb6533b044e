"""The parent's side of reading: start the child under limits, survive its death, read what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from procmon.config import EngineSettings
from procmon.errors import InputError
from procmon.ingest.mapping import Mapping

Tell = Callable[[int, float], None]
"""Hears how far the reading is: records read so far, share of the file from 0 to 1."""


@dataclass(frozen=True)
class RawFile:
    """What the child left: text rows, their lines, and malformed rows as Parquet; and what it counted.

    `found`: key of the mapping → the file's name of that column; `dropped`: columns that no key reads.
    """

    name: str
    rows: Path
    lines: Path
    refused: Path
    found: dict[str, str]
    dropped: tuple[str, ...]
    n_read: int
    sha256: str


def read_file(
    path: Path, mapping: Mapping, *, scratch: Path, key: bytes, limits: EngineSettings, tell: Tell | None = None
) -> RawFile:
    """Parse one received file of any form in a child process; `scratch` is an empty folder for its output.

    Raises: InputError naming file, cause and remedy where the file is refused whole, has no rows, or the child died.
    """
    raw = raw_file(path, scratch, _ask(path, mapping, scratch=scratch, key=key, limits=limits, tell=tell))
    if raw.n_read == 0:
        raise InputError(f"{path}: no row below its header", remedy="Export it again.")
    return raw


def raw_file(path: Path, scratch: Path, answer: dict[str, Any]) -> RawFile:
    """The child's answer with the files beside it."""
    return RawFile(
        name=path.name,
        rows=scratch / "rows.parquet",
        lines=scratch / "lines.parquet",
        refused=scratch / "refused.parquet",
        found=answer["found"],
        dropped=tuple(answer["dropped"]),
        n_read=answer["n_rows"] + answer["n_malformed"],
        sha256=answer["sha256"],
    )


def look_at(path: Path, *, scratch: Path, limits: EngineSettings) -> dict[str, Any]:
    """What the columns of a file are like (`child.look`), in a child process.

    Raises: InputError as `read_file`.
    """
    return _ask(path, None, scratch=scratch, key=b"", limits=limits, tell=None)


def _ask(
    path: Path, mapping: Mapping | None, *, scratch: Path, key: bytes, limits: EngineSettings, tell: Tell | None
) -> dict[str, Any]:  # fmt: skip
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise InputError(f"{path}: {what}", remedy="Name a file: CSV, Excel, JSON or XES, plain or gzipped.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read: permission denied", remedy=f"chmod u+r {path}")
    job = {
        "path": str(path.resolve()),
        "folder": str(scratch),
        "key": key.hex(),
        "memory": limits.read_memory * 2**20,
        "seconds": limits.read_seconds,
        "size": limits.read_size * 2**20,
        "ratio": limits.read_ratio,
        "cells": limits.read_cells,
        "wanted": asdict(mapping.wanted()) if mapping else None,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "procmon.ingest.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        timer = threading.Timer(limits.read_wall_seconds, child.kill)
        timer.start()
        try:
            answer, said = _hear(child, job, tell)
        finally:
            is_late = not timer.is_alive()
            timer.cancel()
            child.kill()
    if child.returncode != 0 or answer is None:
        cause = "reading it took longer than engine.read_wall_seconds" if is_late else _death(child.returncode, said)
        raise InputError(f"{path}: {cause}", remedy="Look at the file by hand.")
    if "error" in answer:
        raise InputError(f"{path}: {answer['error']}", remedy=answer["remedy"])
    return answer


def _hear(
    child: subprocess.Popen[bytes], job: dict[str, Any], tell: Tell | None
) -> tuple[dict[str, Any] | None, bytes]:
    """Give the child its job and listen until it ends: its answer, where it gave one, and its last words."""
    assert child.stdin and child.stdout and child.stderr  # noqa: S101, PT018 - for the type checker: all are pipes
    last_words: list[bytes] = []
    ear = threading.Thread(target=lambda: last_words.append(child.stderr.read()))  # type: ignore[union-attr]
    ear.start()
    try:
        child.stdin.write(json.dumps(job).encode())
        child.stdin.close()
    except BrokenPipeError:
        pass  # it died before it had heard us
    answer = None
    for line in child.stdout:
        said = json.loads(line)
        if set(said) != {"rows", "share"}:
            answer = said
        elif tell:
            tell(said["rows"], said["share"])
    child.wait()
    ear.join()
    return answer, last_words[0]


def _death(code: int, stderr: bytes) -> str:
    """Why the child ended without an answer, without a word of the file's content."""
    if code == -signal.SIGXCPU:
        return "reading it took longer than engine.read_seconds"
    if code in (-signal.SIGABRT, -signal.SIGSEGV):
        return "the reading process broke down, perhaps for want of memory (engine.read_memory)"
    if code < 0:
        return f"the reading process was ended by {signal.Signals(-code).name}"
    last = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no word"]
    return f"the reading process failed: {last[0].split(':')[0]}"
