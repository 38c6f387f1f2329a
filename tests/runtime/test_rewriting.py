"""A file that containers have mounted keeps being the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.runtime.protocol import ContainerError
from workers.runtime.rewriting import rewrite


@pytest.mark.parametrize("text", ["a longer text than before\n", "x\n", "", "ümläut\n"])
def test_new_contents_come_into_the_same_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hosts"
    path.write_text("what was before\n")
    inode = path.stat().st_ino
    assert rewrite(path, text)
    assert (path.read_text(), path.stat().st_ino) == (text, inode)


def test_contents_that_are_right_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("same\n")
    before = path.stat().st_mtime_ns
    assert not rewrite(path, "same\n")
    assert path.stat().st_mtime_ns == before


def test_a_file_that_is_not_there_stays_away(tmp_path: Path) -> None:
    assert not rewrite(tmp_path / "hosts", "text\n")
    assert list(tmp_path.iterdir()) == []


def test_one_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "hosts").mkdir()
    with pytest.raises(ContainerError, match="hosts can't be written: Is a directory"):
        rewrite(tmp_path / "hosts", "text\n")
