"""How containers of the process runtime end, whoever else sees to it at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import eventually
from workers.runtime.process import reaping
from workers.runtime.process.files import ContainerFolder, PodFolder, Recorded
from workers.runtime.process.procfs import Process
from workers.runtime.process.watch import Watch
from workers.runtime.protocol import ContainerSpec

GONE = Process(2**22 + 1, 1)
SIDE_BY_SIDE = 4


def ended(pod: Path, name: str) -> ContainerFolder:
    """A container whose supervisor was killed: nobody wrote down how it ended."""
    folder = PodFolder(pod, "uid").container(name, 0)
    folder.create(ContainerSpec(name, 0, "image"))
    folder.record(Recorded("boot", GONE, GONE, 1.0))
    return folder


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch()
    yield made
    made.close()


def test_a_death_that_can_not_be_seen_to_keeps_no_other_from_being_told(watch: Watch, tmp_path: Path) -> None:
    folders = [ended(tmp_path, name) for name in ("first", "second", "third")]
    for folder in folders:
        watch.add(folder, GONE)
    seen_to: list[str] = []

    def reap(folder: ContainerFolder) -> None:
        seen_to.append(folder.name)
        if folder.name == "first":
            raise OSError("the disk is full")

    deaths = watch.deaths(reap)
    assert [next(deaths) for _ in folders] == folders
    assert seen_to == ["first", "second", "third"]


def test_who_listens_anew_is_told_of_the_deaths_that_nobody_heard_of(watch: Watch, tmp_path: Path) -> None:
    folders = [ended(tmp_path, name) for name in ("first", "second")]
    for folder in folders:
        watch.add(folder, GONE)
    first = watch.deaths(lambda folder: None)
    assert next(first) == folders[0]
    first.close()  # type: ignore[attr-defined]
    assert next(watch.deaths(lambda folder: None)) == folders[1]


def test_a_container_may_be_seen_to_and_removed_by_several_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(SIDE_BY_SIDE)

    def see_to(folder: ContainerFolder, removes: bool) -> None:
        together.wait(10)
        reaping.reap(folder, "boot", 2.0)
        if removes:
            folder.remove()

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for number in range(20):
            folder = ended(tmp_path, f"c{number}")
            for done in [pool.submit(see_to, folder, each == 0) for each in range(SIDE_BY_SIDE)]:
                done.result(20)
            eventually(lambda: not folder.path.exists(), "it is removed")  # noqa: B023
