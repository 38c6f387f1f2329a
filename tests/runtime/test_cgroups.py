"""Control groups of processes, on trees that look like those of both versions, and on this machine's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import SLEEPER, ProcessSubject, Program, eventually, uid
from workers.runtime.features import Feature
from workers.runtime.process import cgroups
from workers.runtime.process.holding import Holding
from workers.runtime.resources import Limits, Resources

HELD = Limits(1024, 250, 64 << 20)


def files(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def unified(root: Path) -> Path:
    """A tree of version 2, in which `c1` has a group."""
    files(
        root, cgroup__controllers="cpuset cpu io memory pids", cgroup__subtree_control="cpu", cgroup__procs=""
    )
    files(
        root / "beanpole", cgroup__controllers="cpu memory pids", cgroup__subtree_control="", cgroup__procs=""
    )
    return files(
        root / "beanpole" / "c1",
        cpu__weight="100", cpu__max="max 100000", memory__max="max", memory__swap__max="max", pids__max="max",
        memory__current="4096000", memory__stat="anon 10\ninactive_file 96000\n",
        memory__events="low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\n",
    )  # fmt: skip


def test_version_2_holds_a_container_by_one_group(tmp_path: Path) -> None:
    group = unified(tmp_path)
    place = cgroups.find(tmp_path)
    assert place is not None
    assert place.groups("c1") == [group]
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory +pids"

    place.make([group], HELD, Resources(pids=50))

    told = {name: (group / name).read_text() for name in ("cpu.weight", "cpu.max", "memory.max", "pids.max")}
    assert told == {
        "cpu.weight": "39", "cpu.max": "25000 100000", "memory.max": str(64 << 20), "pids.max": "50",
    }  # fmt: skip
    assert (group / "memory.swap.max").read_text() == "0"
    cgroups.apply([group], Limits())
    assert (group / "cpu.max").read_text() == "max 100000"
    assert (group / "memory.max").read_text() == "max"
    assert (group / "cpu.weight").read_text() == "1"


def test_version_2_tells_of_use_and_of_victims(tmp_path: Path) -> None:
    group = unified(tmp_path)
    assert cgroups.memory_in_use([group]) == 4_000_000
    assert not cgroups.oom_killed([group])
    (group / "memory.events").write_text("oom 1\noom_kill 2\n")
    assert cgroups.oom_killed([group])


def test_version_1_holds_a_container_by_a_group_for_each_controller(tmp_path: Path) -> None:
    for name in ("cpu", "memory", "pids"):
        files(tmp_path / name, cgroup__procs="")
    cpu = files(
        tmp_path / "cpu/beanpole/c1", cpu__shares="1024", cpu__cfs_period_us="", cpu__cfs_quota_us="-1"
    )
    memory = files(
        tmp_path / "memory/beanpole/c1",
        memory__limit_in_bytes="", memory__memsw__limit_in_bytes="", memory__usage_in_bytes="5000",
        memory__stat="inactive_file 1\ntotal_inactive_file 2000\n",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    )  # fmt: skip
    pids = files(tmp_path / "pids/beanpole/c1", pids__max="max")
    place = cgroups.find(tmp_path)
    assert place is not None

    place.make(place.groups("c1"), HELD, Resources(pids=7))

    assert place.groups("c1") == [cpu, memory, pids]
    assert [(cpu / f"cpu.{n}").read_text() for n in ("shares", "cfs_period_us", "cfs_quota_us")] == [
        "1024", "100000", "25000",
    ]  # fmt: skip
    limit = str(64 << 20)
    assert (memory / "memory.limit_in_bytes").read_text() == limit
    assert (memory / "memory.memsw.limit_in_bytes").read_text() == limit
    assert (pids / "pids.max").read_text() == "7"
    assert cgroups.oom_killed([cpu, memory, pids])
    assert cgroups.memory_in_use([cpu, memory, pids]) == 3000


def test_what_can_not_be_had_is_not_claimed(tmp_path: Path) -> None:
    assert cgroups.find(tmp_path) is None
    assert Holding(None).features == frozenset()
    files(tmp_path / "memory", cgroup__procs="")
    place = cgroups.find(tmp_path)
    assert place is not None
    assert Holding(place).features == {Feature.MEMORY_LIMIT}


def test_groups_of_this_machine_go_with_their_containers_whoever_removes_them() -> None:
    if cgroups.find() is None:
        pytest.skip("no control groups can be made here")
    subject = ProcessSubject()
    try:
        sandbox, spec = subject.sandbox(1), subject.container(SLEEPER, memory_bytes=64 << 20)
        first = subject.runtime()
        first.start_sandbox(sandbox)
        first.start_container(sandbox.pod, spec)
        groups = subject.pod_folder(sandbox.pod).container("main", 0).groups()
        main = subject.pod_folder(sandbox.pod).container("main", 0).recorded()
        assert main is not None
        assert all(str(main.main.pid) in (g / "cgroup.procs").read_text().split() for g in groups)

        # An agent that died as it began to start another.
        subject.interrupted_start(first, sandbox, subject.container(SLEEPER, attempt=1))
        folder = subject.pod_folder(sandbox.pod).container("main", 1)
        Holding(cgroups.find()).begin(folder, spec)
        second = subject.runtime()
        second.remove_pod(sandbox.pod)

        eventually(lambda: not any(g.exists() for g in (*groups, *folder.groups())), "the groups are gone")
        left = [p for g in groups for p in g.parent.glob(f"*{uid()}*") if g.parent.exists()]
        assert left == []
    finally:
        subject.close()


def test_a_container_that_ended_keeps_no_group_and_how_it_ended_is_still_told() -> None:
    if cgroups.find() is None:
        pytest.skip("no control groups can be made here")
    subject = ProcessSubject()
    try:
        sandbox = subject.sandbox(1)
        runtime = subject.runtime()
        runtime.start_sandbox(sandbox)
        eater = subject.container(Program("exec tail /dev/zero", {}), memory_bytes=16 << 20)
        container = runtime.start_container(sandbox.pod, eater)
        groups = subject.pod_folder(sandbox.pod).container("main", 0).groups()

        assert next(runtime.events()) == sandbox.pod.uid

        assert not any(group.exists() for group in groups)
        for seen_by in (runtime, subject.runtime()):
            state = seen_by.pod(sandbox.pod.uid)
            assert state is not None
            (shown,) = state.containers
            assert (shown.id, shown.exit_code, shown.oom_killed) == (container.id, 137, True)
    finally:
        subject.close()


def test_what_nobody_will_remove_is_swept_but_nothing_that_is_about_to_start(tmp_path: Path) -> None:
    place = cgroups.Place({"memory": tmp_path / "beanpole"}, False)
    (left,) = place.groups("left")
    left.mkdir(parents=True)
    made = left.stat().st_mtime
    place.sweep(made + 1)
    assert left.is_dir()
    place.sweep(made + cgroups.FRESH + 1)
    assert not left.exists()
