"""What runtimes make of mounts: parts of volumes, read-only ones, what is mounted on the machine later."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import SLEEPER, SLEEPS, Program, Subject, eventually, uid
from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts, below, mounted
from workers.runtime.mounts import BlockDevice, Mount, Propagation
from workers.runtime.protocol import ContainerError, LogOptions, Runtime, State
from workers.runtime.security import Security

MAY_MOUNT = Security(add=("SYS_ADMIN",))


@pytest.fixture
def subject(real: Subject) -> Subject:
    return real


@pytest.fixture
def machine(subject: Subject) -> HostMounts:
    """Makes mounts that the subject's containers see."""
    mounts = HostMounts(engine=subject.name == "docker")
    if mounts.lacking():
        pytest.skip(mounts.lacking())
    return mounts


@pytest.fixture
def shared(machine: HostMounts, tmp_path: Path) -> Iterator[Path]:
    """A folder of the machine in which what is mounted later is seen by others."""
    machine.tmpfs(tmp_path, 1 << 20)
    subprocess.run(["mount", "--make-shared", str(tmp_path)], check=True)
    (tmp_path / "below").mkdir()
    yield tmp_path
    machine.clear(tmp_path)


def test_parts_of_a_volume_are_seen_and_no_link_leads_out_of_it(
    subject: Subject, runtime: Runtime, machine: HostMounts, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    (volume / "a/b").mkdir(parents=True)
    (volume / "a/b/file").write_text("part\n")
    (volume / "file").write_text("one file\n")
    (volume / "inner").symlink_to("a/b")
    (tmp_path / "secret").write_text("secret\n")
    for name, target in (("out", ".."), ("absolute", str(tmp_path)), ("proc", "/proc/self/root")):
        (volume / name).symlink_to(target)
    mounts = (
        Mount(str(volume), "/mnt/part", sub_path="a/b"),
        Mount(str(volume), "/mnt/inner", sub_path="inner"),
        Mount(str(volume), "/mnt/file", read_only=True, sub_path="file"),
    )
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    for name in ("out", "absolute", "proc", "out/secret", "missing"):
        with pytest.raises(ContainerError):
            runtime.start_container(
                sandbox.pod, subject.container(SLEEPER, mounts=(Mount(str(volume), "/mnt/x", sub_path=name),))
            )
    script = (
        "cat /mnt/part/file /mnt/inner/file /mnt/file; touch /mnt/file 2>/dev/null || echo read-only;"
        "echo new >/mnt/part/new; " + SLEEPS
    )
    runtime.start_container(sandbox.pod, subject.container(Program(script, {}), mounts=mounts))
    eventually((volume / "a/b/new").exists, "the container wrote into its part")
    said = b"".join(runtime.logs(sandbox.pod, "main", LogOptions())).decode()
    assert said == "part\npart\none file\nread-only\n"
    # Nothing is left on the machine while the container runs, and nothing of the volume goes with the pod.
    assert [place for place in mounted() if uid(1) in place or str(tmp_path) in place] == []
    runtime.remove_pod(sandbox.pod)
    assert sorted(p.name for p in (volume / "a/b").iterdir()) == ["file", "new"]
    assert subject.leftovers() == []


def test_whoever_replaces_a_part_by_a_link_never_gets_out(
    subject: Subject, runtime: Runtime, machine: HostMounts, tmp_path: Path
) -> None:
    volume, outside = tmp_path / "volume", tmp_path / "outside"
    volume.mkdir()
    outside.mkdir()
    (outside / "file").write_text("outside\n")
    for name, target in (("link", outside), ("folder", None)):
        (volume / name).symlink_to(target) if target else (volume / name).mkdir()
    (volume / "folder/file").write_text("inside\n")
    (volume / "part").symlink_to("folder")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for target in ("../outside", "folder"):
                (volume / "fresh").symlink_to(target)
                (volume / "fresh").rename(volume / "part")

    swapper = threading.Thread(target=swap)
    swapper.start()
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    mount = Mount(str(volume), "/mnt/x", sub_path="part")
    seen = set()
    try:
        for attempt in range(4):
            program = Program("cat /mnt/x/file", {})
            try:
                runtime.start_container(sandbox.pod, subject.container(program, attempt, mounts=(mount,)))
            except ContainerError:
                seen.add("refused")
                continue
            eventually(lambda: runtime.pod(uid(1)).containers[-1].state is State.EXITED, "it has read")
            seen.add(b"".join(runtime.logs(sandbox.pod, "main", LogOptions())).decode())
    finally:
        done.set()
        swapper.join()
    assert seen <= {"refused", "inside\n"}


def test_what_is_in_memory_outlives_containers_and_is_bounded(
    subject: Subject, runtime: Runtime, machine: HostMounts, tmp_path: Path
) -> None:
    assert Feature.MEMORY_VOLUMES in runtime.features
    machine.tmpfs(tmp_path, 1 << 20)
    try:
        sandbox = subject.sandbox(1)
        runtime.start_sandbox(sandbox)
        mount = Mount(str(tmp_path), "/mnt/fast")
        fill = "head -c 3000000 /dev/zero >/mnt/fast/big 2>/dev/null || echo full; rm /mnt/fast/big; echo kept >/mnt/fast/file"
        for attempt, script in enumerate((fill, "cat /mnt/fast/file")):
            runtime.start_container(
                sandbox.pod, subject.container(Program(script, {}), attempt, mounts=(mount,))
            )
            eventually(lambda: runtime.pod(uid(1)).containers[-1].state is State.EXITED, "the script ends")
        said = [b"".join(runtime.logs(sandbox.pod, "main", LogOptions(attempt=n))) for n in (0, 1)]
        assert said == [b"full\n", b"kept\n"]
        runtime.remove_pod(sandbox.pod)
        assert (tmp_path / "file").read_text() == "kept\n"
    finally:
        machine.clear(tmp_path)
    assert below(tmp_path, mounted()) == []


def test_what_is_mounted_on_the_machine_later_is_seen_where_it_is_asked_for(
    subject: Subject, runtime: Runtime, machine: HostMounts, shared: Path
) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    mounts = (
        Mount(str(shared), "/mnt/follows", propagation=Propagation.HOST_TO_CONTAINER),
        Mount(str(shared), "/mnt/private"),
    )
    state = runtime.start_container(sandbox.pod, subject.container(mounts=mounts))
    machine.tmpfs(shared / "below", 1 << 20)
    (shared / "below/file").write_text("later\n")

    def seen(path: str) -> bytes:
        return runtime.exec(sandbox.pod, state.id, ["/bin/sh", "-c", f"ls {path}/below"], 20)[1]

    assert seen("/mnt/follows") == b"file\n"
    assert seen("/mnt/private") == b""
    runtime.remove_pod(sandbox.pod)


def test_what_a_container_mounts_is_seen_on_the_machine_where_a_runtime_can_do_that(
    subject: Subject, runtime: Runtime, machine: HostMounts, shared: Path
) -> None:
    if Feature.SHARED_MOUNTS not in runtime.features:
        pytest.skip(f"the {subject.name} runtime does not claim it")
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    mount = Mount(str(shared), "/mnt/both", propagation=Propagation.BIDIRECTIONAL)
    state = runtime.start_container(sandbox.pod, subject.container(mounts=(mount,), security=MAY_MOUNT))
    made = "mount -t tmpfs made /mnt/both/below && touch /mnt/both/below/theirs"
    assert runtime.exec(sandbox.pod, state.id, ["/bin/sh", "-c", made], 20)[0] == 0
    assert (shared / "below/theirs").exists()
    runtime.remove_pod(sandbox.pod)


def test_a_mount_is_read_only_all_the_way_down_where_a_runtime_can_do_that(
    subject: Subject, runtime: Runtime, machine: HostMounts, shared: Path
) -> None:
    machine.tmpfs(shared / "below", 1 << 20)
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    mounts = [Mount(str(shared), "/mnt/top", read_only=True)]
    if Feature.RECURSIVE_READ_ONLY in runtime.features:
        mounts.append(Mount(str(shared), "/mnt/all", read_only=True, recursive=True))
    state = runtime.start_container(sandbox.pod, subject.container(mounts=tuple(mounts)))

    def may_write(path: str) -> bool:
        return runtime.exec(sandbox.pod, state.id, ["/bin/sh", "-c", f"touch {path}"], 20)[0] == 0

    assert not may_write("/mnt/top/x")
    assert may_write("/mnt/top/below/x")
    if len(mounts) > 1:
        assert not may_write("/mnt/all/below/y")
    runtime.remove_pod(sandbox.pod)
    assert os.listdir(shared / "below") == ["x"]


def test_a_block_device_is_seen_where_a_runtime_can_do_that(subject: Subject, runtime: Runtime) -> None:
    if Feature.BLOCK_VOLUMES not in runtime.features:
        pytest.skip(f"the {subject.name} runtime does not claim it")
    device = next((p for p in Path("/dev").iterdir() if p.is_block_device()), None)
    if device is None:
        pytest.skip("this machine has no block device")
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    given = BlockDevice(str(device), "/dev/data", read_only=True)
    state = runtime.start_container(sandbox.pod, subject.container(block_devices=(given,)))
    seen = runtime.exec(sandbox.pod, state.id, ["/bin/sh", "-c", "test -b /dev/data && echo yes"], 20)
    assert seen == (0, b"yes\n")
    assert runtime.exec(sandbox.pod, state.id, ["/bin/sh", "-c", ": >>/dev/data"], 20)[0] != 0
