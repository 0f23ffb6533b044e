"""What a received file is, by its first bytes, and its plain bytes as a bounded stream."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from procmon.ingest.rows import Format, RefusedError

GZIP = b"\x1f\x8b"
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
PAGES = ("<!doctype html", "<html", "<head", "<table")
"""How a web page begins; many programs give one the name of a list."""
HEAD = 4096
SMALL = 64 << 20
"""Unpacked bytes below which no ratio is looked at."""


def is_gzip(path: Path) -> bool:
    """Whether the file is gzipped, whatever its name."""
    with path.open("rb") as source:
        return source.read(len(GZIP)) == GZIP


def largest(path: Path, size: int, ratio: int) -> int:
    """The plain size in bytes up to which a file is read: `size`, and of a gzip `ratio` times what it has."""
    return min(size, max(SMALL, ratio * path.stat().st_size)) if is_gzip(path) else size


def form_of(path: Path) -> Format:
    """Which form a file has, by its first bytes; CSV where they say nothing else.

    Raises: RefusedError for a bad gzip, a gzip within a gzip, a web page.
    """
    with Plain(path, HEAD + 1) as source:
        head = source.head()
    if head.startswith(GZIP):
        raise RefusedError("a gzip within a gzip", "Unpack it, and give what is inside.")
    if head.startswith((ZIP, OLE)):
        return "excel"
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace").lstrip(
        "\ufeff \t\r\n"
    )
    if text.casefold().startswith(PAGES):
        raise RefusedError(
            "a web page, whatever its name says", "Open it in Excel or LibreOffice, and save it as .xlsx."
        )
    if text.startswith("<"):
        return "xes"
    return "json" if text.startswith(("{", "[{", "[")) and not text.startswith("[,") else "csv"


class Plain(io.RawIOBase):
    """The plain bytes of a file, gzipped or not, up to `limit`; `share` is how much of the file has been read.

    Reading raises RefusedError for a damaged or cut gzip, and beyond the limit.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._raw = path.open("rb")
        self._source = gzip.GzipFile(fileobj=self._raw) if is_gzip(path) else self._raw
        self._file_size = max(path.stat().st_size, 1)
        self._limit = limit
        self._read = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """As any stream."""
        try:
            piece = self._source.read(-1 if size is None else size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise RefusedError(
                f"the gzip is damaged or cut off: {error}", "Copy it again from where it came."
            ) from error
        self._read += len(piece)
        if self._read > self._limit:
            raise RefusedError(
                f"unpacked it is larger than {self._limit // 2**20} MiB",
                "Split the file, or raise engine.read_size (or engine.read_ratio for a gzip).",
            )
        return piece

    def readinto(self, buffer: object) -> int:
        """As any stream."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        piece = self.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def head(self) -> bytes:
        """The first bytes."""
        return self.read(HEAD)

    def share(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._raw.tell() / self._file_size

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._source.close()
            self._raw.close()
        super().close()
