"""Files that change together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.agent.volumes import atomic_files
from workers.agent.volumes.atomic_files import File, Files, write_atomically

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
NAMES = st.sampled_from(["a", "b", "dir/a", "dir/b", "dir/deep/c", "z.txt"])
FILES = st.dictionaries(NAMES, st.builds(File, st.binary(max_size=6), st.sampled_from([0o644, 0o600, 0o400])))


def of(folder: Path) -> dict[str, bytes]:
    """What users of the folder see."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for top in folder.iterdir()
        if not top.name.startswith("..")
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file()
    }


def plain(files: Files) -> dict[str, bytes]:
    return {path: file.content for path, file in files.items()}


def test_content_changes_in_one_step_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    assert write_atomically(folder, {"a": File(b"1"), "dir/b": File(b"2", 0o600)})
    assert of(folder) == {"a": b"1", "dir/b": b"2"}
    assert (folder / "dir/b").stat().st_mode & 0o777 == 0o600
    open_before = (folder / "a").open()
    version = os.readlink(folder / "..data")
    assert write_atomically(folder, {"a": File(b"9"), "c": File(b"3")})
    assert of(folder) == {"a": b"9", "c": b"3"}
    assert open_before.read() == "1"
    assert os.readlink(folder / "..data") != version
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["..data", os.readlink(folder / "..data"), "a", "c"]
    )


def test_unchanged_content_is_not_written_again(tmp_path: Path) -> None:
    write_atomically(tmp_path / "v", {"a": File(b"1")})
    before = (tmp_path / "v" / "a").stat()
    assert not write_atomically(tmp_path / "v", {"a": File(b"1")})
    assert (tmp_path / "v" / "a").stat().st_ino == before.st_ino


@AS_ROOT
def test_files_are_their_users_and_readable_for_the_group(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    write_atomically(folder, {"t": File(b"", 0o600, 1234), "d/x": File(b"", 0o400)}, 4321)
    token, other = (folder / "t").stat(), (folder / "d/x").stat()
    assert (token.st_uid, token.st_gid, token.st_mode & 0o7777) == (1234, 4321, 0o640)
    assert (other.st_uid, other.st_gid, other.st_mode & 0o7777) == (0, 4321, 0o440)
    for each in (folder, folder / "..data/", folder / "d"):
        assert (each.stat().st_gid, each.stat().st_mode & 0o2050) == (4321, 0o2050)


@settings(max_examples=40, deadline=None)
@given(st.lists(FILES, min_size=1, max_size=4))
def test_whatever_was_there_before_there_are_just_the_files_of_the_last_version(
    tmp_path_factory: pytest.TempPathFactory, versions: list[Files]
) -> None:
    folder = tmp_path_factory.mktemp("v") / "v"
    for files in versions:
        write_atomically(folder, files)
        assert of(folder) == plain(files)
        assert len([p for p in folder.iterdir() if p.name.startswith("..")]) == 2


class Killed(Exception):
    """The agent died here."""


STEPS: list[tuple[Any, str]] = [
    (os, "chown"), (os, "open"), (Path, "mkdir"), (Path, "chmod"), (Path, "symlink_to"), (Path, "rename"),
    (Path, "unlink"), (atomic_files.shutil, "rmtree"), (atomic_files, "_tidy"),
]  # fmt: skip


def dying_at(calls: int) -> tuple[Callable[[], int], list[Any]]:
    """Patches after which the agent dies at its n-th step; and how many steps it came to."""
    done = 0

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done > calls:
                raise Killed
            return real(*args, **kwargs)

        return call

    return (lambda: done), [mock.patch.object(o, n, wrapped(getattr(o, n))) for o, n in STEPS]


def test_wherever_it_was_cut_off_readers_see_one_version_and_doing_it_again_completes_it(
    tmp_path: Path,
) -> None:
    before: Files = {"a": File(b"1"), "old": File(b"1"), "dir/b": File(b"1")}
    after: Files = {"a": File(b"2"), "new": File(b"2"), "dir/b": File(b"2")}
    steps = 0
    for calls in range(200):
        folder = tmp_path / str(calls)
        write_atomically(folder, before)
        reached, patches = dying_at(calls)
        try:
            for patch in patches:
                patch.start()
            write_atomically(folder, after, os.getgid())
            finished = True
        except Killed:
            finished = False
        finally:
            mock.patch.stopall()
        seen = {(folder / name).read_bytes() for name in ("a", "dir/b")}
        assert seen in ({b"1"}, {b"2"})
        write_atomically(folder, after, os.getgid())
        assert of(folder) == plain(after)
        assert {p.stat().st_mode & 0o7777 for p in (folder, folder / "dir")} == {0o2755}
        assert sorted(p.name for p in folder.iterdir() if not p.name.startswith("..")) == ["a", "dir", "new"]
        if finished:
            steps = reached()
            break
    assert steps > 8


def test_a_reader_never_sees_a_mix_of_two_versions(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    names = [f"f{n}" for n in range(8)]

    def version(number: int) -> Files:
        return {name: File(f"{number}".encode()) for name in names}

    write_atomically(folder, version(0))
    seen: list[set[bytes]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            # As a careful reader does: the version first, and all files through it.
            try:
                fd = os.open(folder / "..data", os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue
            try:
                whole = set()
                for name in names:
                    with open(os.open(name, os.O_RDONLY, dir_fd=fd), "rb") as file:
                        whole.add(file.read())
                seen.append(whole)
            except FileNotFoundError:
                # The version was replaced and removed meanwhile: it is read again.
                continue
            finally:
                os.close(fd)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 150):
        write_atomically(folder, version(number))
    done.set()
    reader.join()
    assert seen
    assert {len(whole) for whole in seen} == {1}
