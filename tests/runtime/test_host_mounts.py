"""Mounts that an agent makes on its machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workers.runtime import mount_space
from workers.runtime.beneath import LeadsOut, make_beneath, open_beneath
from workers.runtime.host_mounts import HostMounts, below, mounted
from workers.runtime.mount_space import OutOfSight

MOUNTS = HostMounts(engine=False)
MAY_MOUNT = pytest.mark.skipif(bool(MOUNTS.lacking()), reason=MOUNTS.lacking() or "it may")


def listening(path: Path) -> socket.socket:
    """What an engine's socket looks like to the kernel."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_an_engine_of_this_process_sees_what_it_sees(tmp_path: Path) -> None:
    with listening(tmp_path / "s"):
        assert mount_space.of_engine(f"unix://{tmp_path}/s") == ""
    with pytest.raises(OutOfSight, match="another machine"):
        mount_space.of_engine("tcp://10.0.0.1:2375")
    with pytest.raises(ConnectionRefusedError):
        mount_space.of_engine(f"unix://{tmp_path}/s")


@MAY_MOUNT
def test_an_agent_in_a_container_mounts_where_its_engine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = (
        "import sys; from pathlib import Path; from workers.runtime.host_mounts import HostMounts, mounted;"
        "top = Path(sys.argv[1]); mounts = HostMounts(engine=True); assert not mounts.lacking();"
        "mounts.tmpfs(top / 'fast', 1 << 20); mounts.bind_beneath(top, 'part', top / 'stage' / 'there');"
        "print([place for place in mounted() if str(top) in place])"
    )
    (tmp_path / "part").mkdir()
    (tmp_path / "fast").mkdir()
    with listening(tmp_path / "s"):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
        try:
            done = subprocess.run(
                ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", inside, str(tmp_path)],
                capture_output=True, text=True, timeout=60, check=True,
            )  # fmt: skip
            # It does not see them itself.
            assert done.stdout == "[]\n"
            assert below(tmp_path, mounted()) == [str(tmp_path / "fast"), str(tmp_path / "stage/there")]
        finally:
            MOUNTS.clear(tmp_path)
    assert below(tmp_path, mounted()) == []


@MAY_MOUNT
def test_what_is_mounted_is_found_whatever_it_is_called_and_unmounted_with_all_below(tmp_path: Path) -> None:
    top = tmp_path / "a b\\c\td"
    top.mkdir()
    for _ in range(2):
        MOUNTS.tmpfs(top, 1 << 20, 0o2770, 4321)
    (top / "below").mkdir()
    MOUNTS.tmpfs(top / "below", 0)
    assert below(tmp_path, mounted()) == [str(top), str(top / "below")]
    assert (top.stat().st_gid, top.stat().st_mode & 0o7777) == (4321, 0o2770)
    assert below(tmp_path / "a", mounted()) == []
    (top / "file").write_text("x")
    # As a process has it that copied the machine's mounts: the memory is free all the same.
    held = os.open(top, os.O_RDONLY)
    MOUNTS.clear(tmp_path)
    assert os.listdir(held) == []
    os.close(held)
    MOUNTS.clear(tmp_path)
    assert below(tmp_path, mounted()) == []


@MAY_MOUNT
def test_places_for_parts_are_removed_and_what_was_mounted_there_stays(tmp_path: Path) -> None:
    (tmp_path / "volume/part").mkdir(parents=True)
    (tmp_path / "volume/part/file").write_text("x")
    place = tmp_path / "places/pod"
    for path, name in (("part", "0"), ("part/file", "1")):
        MOUNTS.bind_beneath(tmp_path / "volume", path, place / name)
    assert (place / "0/file").read_text() == (place / "1").read_text() == "x"
    MOUNTS.remove_stage(place)
    MOUNTS.remove_stage(place)
    assert not place.exists()
    assert (tmp_path / "volume/part/file").read_text() == "x"


def test_a_path_is_opened_within_its_folder_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "top/deep").mkdir(parents=True)
    (tmp_path / "top/deep/file").write_text("x")
    (tmp_path / "outside").write_text("secret")
    for name, target in (
        ("in", "deep"),
        ("up", ".."),
        ("root", "/"),
        ("twist", "deep/../../outside"),
        ("fine", "deep/.."),
    ):
        (tmp_path / "top" / name).symlink_to(target)
    top = os.open(tmp_path / "top", os.O_PATH)
    try:
        for inside in ("deep/file", "in/file", "fine/in/file", "deep/../deep/file"):
            with open(open_beneath(top, inside, os.O_RDONLY)) as file:
                assert file.read() == "x"
        for outside in ("up", "root/etc", "twist", "..", "/etc", "deep/../../outside"):
            with pytest.raises(LeadsOut):
                open_beneath(top, outside)
        with pytest.raises(FileNotFoundError):
            open_beneath(top, "none")
    finally:
        os.close(top)


def test_what_is_made_lies_within_the_folder_whoever_moves_it_about(tmp_path: Path) -> None:
    top, outside = tmp_path / "top", tmp_path / "outside"
    (top / "real").mkdir(parents=True)
    outside.mkdir()
    top.chmod(0o2770)
    (top / "a").symlink_to("real")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for target in ("../outside", "real"):
                (top / "fresh").symlink_to(target)
                (top / "fresh").rename(top / "a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    made = 0
    try:
        # Often enough for both outcomes, however the two threads take turns.
        for number in range(20_000):
            if number >= 300 and made:
                break
            try:
                make_beneath(top, f"a/{number}/x")
                made += 1
            except OSError:
                continue
    finally:
        done.set()
        swapper.join()
    assert list(outside.iterdir()) == []
    assert made
    modes = {path.stat().st_mode & 0o7777 for path in (top / "real").rglob("*")}
    assert modes == {0o2770}
