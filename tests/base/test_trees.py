"""Removing what somebody else wrote."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.base.trees import empty_tree, remove_tree
from tests.trees import deepened


def test_folders_are_removed_however_deep_they_are(tmp_path: Path) -> None:
    with deepened(tmp_path / "top"):
        remove_tree(tmp_path / "top")
        assert list(tmp_path.iterdir()) == []


def test_what_has_the_names_that_are_given_meanwhile_goes_as_well(tmp_path: Path) -> None:
    for name in ("..0/a/b", "..1", "a/..0/..1", "a/..2/x"):
        (tmp_path / "top" / name).mkdir(parents=True)
    (tmp_path / "top/..3").write_text("")
    empty_tree(tmp_path / "top")
    assert list((tmp_path / "top").iterdir()) == []


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/precious").write_text("1")
    (tmp_path / "top/a").mkdir(parents=True)
    (tmp_path / "top/link").symlink_to(tmp_path / "outside")
    (tmp_path / "top/a/link").symlink_to(tmp_path / "outside")
    (tmp_path / "way").symlink_to(tmp_path / "outside")
    remove_tree(tmp_path / "top")
    for other in ("way", "outside/precious"):
        with pytest.raises(NotADirectoryError):
            remove_tree(tmp_path / other)
    assert (tmp_path / "outside/precious").read_text() == "1"
    with pytest.raises(FileNotFoundError):
        remove_tree(tmp_path / "top")


def test_what_can_not_be_removed_is_told_and_all_else_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top/a/b/c").mkdir(parents=True)
    for name in ("a/held", "a/b/c/file", "other"):
        (tmp_path / "top" / name).write_text("")
    unlink: Callable[..., None] = os.unlink

    def refuse(name: str, *, dir_fd: int | None = None) -> None:
        if name == "held":
            raise PermissionError(1, "Operation not permitted", name)
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(PermissionError):
        remove_tree(tmp_path / "top")
    assert [str(p.relative_to(tmp_path)) for p in sorted(tmp_path.rglob("*"))] == [
        "top",
        "top/a",
        "top/a/held",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_folders_of_ones_own_are_removed_whatever_rights_were_taken_from_them(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "top/a/b/c").mkdir(parents=True)
    (shared / "top/a/b/file").write_text("")
    for folder, mode in (("top/a/b/c", 0), ("top/a/b", 0o500), ("top/a", 0), ("top", 0o500), (".", 0o755)):
        os.chown(shared / folder, 4321, 4321)
        (shared / folder).chmod(mode)
    body = f"os.chdir({str(shared)!r}); os.setuid(4321); remove_tree('top')"
    told = [sys.executable, "-c", f"import os; from app.base.trees import remove_tree; {body}"]
    subprocess.run(told, check=True, timeout=30)
    assert list(shared.iterdir()) == []


def test_who_goes_on_writing_does_not_keep_it_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top/a/b/c").mkdir(parents=True)
    rmdir: Callable[..., None] = os.rmdir
    names = itertools.count()

    def one_goes_another_comes(path: str, *, dir_fd: int | None = None) -> None:
        (tmp_path / f"top/more{next(names)}/inner").mkdir(parents=True)
        rmdir(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", one_goes_another_comes)
    with pytest.raises(OSError, match="not empty"):
        remove_tree(tmp_path / "top")
    assert not (tmp_path / "top/a").exists()
    monkeypatch.undo()
    remove_tree(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("place", ["top/m", "top/a/m"])
def test_what_is_mounted_in_it_stays(tmp_path: Path, place: str) -> None:
    (tmp_path / "outside/deep").mkdir(parents=True)
    (tmp_path / "outside/precious").write_text("1")
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / "top/b/c").mkdir(parents=True)
    # Of the same device as all around it.
    subprocess.run(["mount", "--bind", tmp_path / "outside", tmp_path / place], check=True, timeout=20)
    try:
        with pytest.raises(OSError):
            remove_tree(tmp_path / "top")
        assert sorted(p.name for p in (tmp_path / "outside").iterdir()) == ["deep", "precious"]
        assert not (tmp_path / "top/b").exists()
    finally:
        subprocess.run(["umount", tmp_path / place], check=True, timeout=20)
    remove_tree(tmp_path / "top")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["outside"]
