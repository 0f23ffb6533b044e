"""The parent's side of reading: start the child under limits, survive its death, read what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from procmon.config import EngineSettings
from procmon.errors import InputError


@dataclass(frozen=True)
class RawFile:
    """What the child left: text rows, their lines, and malformed rows as Parquet; and what it counted."""

    name: str
    rows: Path
    lines: Path
    refused: Path
    columns: tuple[str, ...]
    dropped: tuple[str, ...]
    n_read: int
    sha256: str


def read_file(path: Path, *, scratch: Path, key: bytes, limits: EngineSettings) -> RawFile:
    """Parse one received CSV (plain or .gz) in a child process; `scratch` is an empty folder for its output.

    Raises: InputError naming file, cause and remedy where the file is refused whole or the child died.
    """
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise InputError(f"{path}: {what}", remedy="Name a CSV file, plain or gzipped.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read: permission denied", remedy=f"chmod u+r {path}")
    job = {
        "path": str(path.resolve()),
        "folder": str(scratch),
        "key": key.hex(),
        "memory": limits.read_memory * 2**20,
        "seconds": limits.read_seconds,
        "size": limits.read_size * 2**20,
    }
    child = subprocess.run(
        [sys.executable, "-m", "procmon.ingest.child"], input=json.dumps(job).encode(), capture_output=True, check=False
    )
    if child.returncode != 0:
        raise InputError(f"{path}: {_death(child.returncode, child.stderr)}", remedy="Look at the file by hand.")
    answer = json.loads(child.stdout)
    if "error" in answer:
        raise InputError(f"{path}: {answer['error']}", remedy=answer["remedy"])
    return RawFile(
        name=path.name,
        rows=scratch / "rows.parquet",
        lines=scratch / "lines.parquet",
        refused=scratch / "refused.parquet",
        columns=tuple(answer["columns"]),
        dropped=tuple(answer["dropped"]),
        n_read=answer["n_rows"] + answer["n_malformed"],
        sha256=answer["sha256"],
    )


def _death(code: int, stderr: bytes) -> str:
    """Why the child ended without an answer, without a word of the file's content."""
    if code == -signal.SIGXCPU:
        return "reading it took longer than engine.read_seconds"
    if code < 0:
        return f"the reading process was ended by {signal.Signals(-code).name}"
    last = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no word"]
    return f"the reading process failed: {last[0].split(':')[0]}"
