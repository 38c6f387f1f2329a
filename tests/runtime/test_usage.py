"""Where the kernel tells what is used: cgroups of both versions, /proc."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workers.runtime import machine_usage
from workers.runtime.docker import cgroup, labels
from workers.runtime.docker.labels import Owner
from workers.runtime.docker.usage import Meter, of_stats
from workers.runtime.protocol import PodRef

ID = "f00d" * 16
OWNER = Owner("c", "n")
ONE = f"5:pids:/docker/{ID}\n4:memory:/docker/{ID}\n3:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n"
TWO = f"0::/system.slice/docker-{ID}.scope\n"
STAT = "anon 100\ninactive_file 300\ntotal_inactive_file 400\n"


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def process(tmp_path: Path, text: str, pid: int = 7) -> Path:
    put(tmp_path / "proc" / str(pid), cgroup=text)
    return tmp_path / "proc"


@pytest.mark.parametrize("folder", ["cpuacct", "cpu,cpuacct"])
def test_version_one_has_a_folder_for_each_controller(tmp_path: Path, folder: str) -> None:
    proc = process(tmp_path, ONE)
    put(tmp_path / folder / "docker" / ID, cpuacct__usage="12345\n")
    put(tmp_path / "memory" / "docker" / ID, memory__usage_in_bytes="1000\n", memory__stat=STAT)
    found = cgroup.find(7, ID, tmp_path, proc)
    assert found is not None
    assert found.read() == (12345, 600, 0)
    put(tmp_path / "pids" / "docker" / ID, pids__current="3\n")
    counted = cgroup.find(7, ID, tmp_path, proc)
    assert counted is not None
    assert counted.read() == (12345, 600, 3)


@pytest.mark.parametrize("root", ["", "unified"])
def test_version_two_has_one_folder_for_all(tmp_path: Path, root: str) -> None:
    proc = process(tmp_path, TWO)
    files = {"cpu__stat": "usage_usec 12\nuser_usec 9\n", "memory__current": "1000\n",
             "memory__stat": "inactive_file 300\n", "pids__current": "4\n"}  # fmt: skip
    put(tmp_path / root / "system.slice" / f"docker-{ID}.scope", **files)
    found = cgroup.find(7, ID, tmp_path, proc)
    assert found is not None
    assert found.read() == (12_000, 700, 4)


@pytest.mark.parametrize(
    "text",
    ["0::/\n", TWO.replace(ID, "another"), TWO.replace("/system", "/../../system"), TWO],
    ids=["not told", "another process", "outside", "not mounted"],
)
def test_what_cannot_be_seen_from_here_is_not_guessed(tmp_path: Path, text: str) -> None:
    assert cgroup.find(7, ID, tmp_path, process(tmp_path, text)) is None
    assert cgroup.find(8, ID, tmp_path, tmp_path / "proc") is None


def test_the_engine_says_the_same_in_its_own_form() -> None:
    said = {"cpu_stats": {"cpu_usage": {"total_usage": 12345}},
            "memory_stats": {"usage": 1000, "stats": {"inactive_file": 300, "total_inactive_file": 400}},
            "pids_stats": {"current": 2}}  # fmt: skip
    assert of_stats(said) == (12345, 600, 2)
    assert of_stats({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}) is None


def test_the_machines_work_leaves_out_idling_and_waiting() -> None:
    text = "cpu  100 10 20 5000 700 3 2 1 50 0\ncpu0 1 1 1 1\n"
    assert machine_usage.cpu(text) == 136 * machine_usage.TICK


def test_the_machines_working_set_leaves_out_files_that_nobody_reads() -> None:
    text = "MemTotal: 1000 kB\nMemFree: 200 kB\nMemAvailable: 500 kB\nActive(file): 90 kB\nInactive(file): 300 kB\n"
    assert machine_usage.memory(text) == 500 * 1024


class Engine:
    """Has one container, which ends while it is asked what that uses; somebody else measures then as well."""

    api_version = "1.41"

    def __init__(self) -> None:
        self.meter = Meter(self, OWNER)  # type: ignore[arg-type]
        self.ended = False

    def containers(self, **how: Any) -> list[dict[str, Any]]:
        tags = OWNER.of_pod(PodRef("uid", "default", "pod")) | {labels.CONTAINER: "main", labels.ATTEMPT: "0"}
        return [] if self.ended else [{"Id": ID, "Labels": tags}]

    def inspect_container(self, name: str) -> dict[str, Any]:
        began, never = "2024-01-01T00:00:00Z", "0001-01-01T00:00:00Z"
        return {
            "Id": ID,
            "Image": "",
            "Config": {"Image": "", "Labels": self.containers()[0]["Labels"]},
            # No process has that number.
            "State": {
                "Pid": 2**22 + 1,
                "Status": "running",
                "StartedAt": began,
                "FinishedAt": never,
                "ExitCode": 0,
                "OOMKilled": False,
            },
        }

    def stats(self, name: str, **how: Any) -> dict[str, Any]:
        self.ended = True
        assert self.meter.measured().containers == ()
        return {"memory_stats": {"usage": 100}, "cpu_stats": {"cpu_usage": {"total_usage": 7}}}


def test_two_may_measure_at_once() -> None:
    (only,) = Engine().meter.measured().containers
    assert (only.id, only.cpu, only.memory) == (ID, 7, 100)
