"""Mails as files: where no server is set up, and for a look before sending."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from pathlib import Path

from procmon.errors import DeliveryError

LONGEST_NAME = 100


def write(folder: Path, mime: bytes, name: str) -> Path:
    """`mime` as `folder/NAME.eml`, mode 600, whole or not at all; a mail of the same name is replaced.

    The name becomes ASCII letters, digits, `.`, `_`, `-`; one that had to change gets a mark from the full name,
    so that two names never share a file. The folder is made, mode 700, if absent.

    Raises: DeliveryError if the file cannot be written; nothing half-written stays.
    """
    path = folder / f"{_slug(name)}.eml"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(path, mime)
    except OSError as error:
        raise DeliveryError(
            f"{path}: the mail cannot be written: {error.strerror or error}",
            remedy="Make room or let this user write there, then send again.",
        ) from error
    return path


def _slug(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore")
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", bare.decode("ascii")).lstrip(".-")[:LONGEST_NAME]
    if slug and slug == name:
        return slug
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{slug}-{mark}" if slug else mark


def _write_whole(path: Path, content: bytes) -> None:
    """Written beside, flushed to the disk, then renamed, so that a kill leaves the old file or the new one."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")  # mkstemp: mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The folder's entry survives a power cut, too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
