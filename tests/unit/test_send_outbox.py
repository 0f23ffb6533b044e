"""Mails as files: whole, private, and never two under one name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from procmon.errors import DeliveryError
from procmon.send import outbox


def test_a_mail_is_a_file_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = outbox.write(tmp_path / "outbox", b"mail\r\n", "2026-11-22-city")
    finally:
        os.umask(before)
    assert path == tmp_path / "outbox" / "2026-11-22-city.eml"
    assert path.read_bytes() == b"mail\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["2026-11-22-city.eml"]


def test_the_same_mail_again_replaces_its_file(tmp_path: Path) -> None:
    outbox.write(tmp_path, b"first", "city")
    assert outbox.write(tmp_path, b"second", "city").read_bytes() == b"second"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/abs", "a/b", "..", ".hidden", "", "a\0b", "a\u202eb", "x" * 300, "Phường Đông Hải"]
)
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    path = outbox.write(tmp_path, b"x", name)
    assert path.parent == tmp_path
    assert path.name.isascii()
    assert not path.name.startswith(".")
    assert len(path.name) <= 120
    assert list(tmp_path.iterdir()) == [path]


def test_two_names_never_share_a_file(tmp_path: Path) -> None:
    names = ["Phường Đông Hải", "Phường Đồng Hải", "Phuong-Dong-Hai", "Phuong Dong Hai", "a/b", "a b", "a-b"]
    assert len({outbox.write(tmp_path, b"x", name) for name in names}) == len(names)
    assert outbox.write(tmp_path, b"x", "Phường Đông Hải").name.startswith("Phuong-Dong-Hai-")


def test_a_folder_that_cannot_be_written_is_said_and_nothing_half_written_stays(tmp_path: Path) -> None:
    in_the_way = tmp_path / "outbox"
    in_the_way.write_text("a file")
    with pytest.raises(DeliveryError, match=r"outbox/city\.eml") as caught:
        outbox.write(in_the_way, b"x", "city")
    assert caught.value.remedy

    (tmp_path / "city.eml").mkdir()  # cannot be replaced by a file
    with pytest.raises(DeliveryError):
        outbox.write(tmp_path, b"x", "city")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["city.eml", "outbox"]
