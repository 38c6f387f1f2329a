"""What pods and engines leave on a machine, so that it can be told whether something is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, fields
from pathlib import Path

import docker

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Traces:
    """All there is at one time."""

    containers: frozenset[str]
    networks: frozenset[str]
    volumes: frozenset[str]
    mounts: frozenset[str]
    cgroups: frozenset[str]
    bridges: frozenset[str]
    folders: frozenset[str]

    def beyond(self, earlier: Traces) -> dict[str, list[str]]:
        """What came since `earlier` and is still there, by its sort."""
        found = {f.name: sorted(getattr(self, f.name) - getattr(earlier, f.name)) for f in fields(self)}
        return {sort: left for sort, left in found.items() if left}


def taken(client: docker.APIClient, folder: Path, cgroup: str, state: Path) -> Traces:
    """What there is now.

    Args:
        folder: the engine's, below which it mounts. cgroup: below which its containers are. state: an agent's folder.
    """
    return Traces(
        containers=frozenset(name for c in client.containers(all=True) for name in c["Names"]),
        networks=frozenset(n["Name"] for n in client.networks()),
        volumes=frozenset(v["Name"] for v in client.volumes()["Volumes"] or ()),
        mounts=frozenset(m for m in mounts(folder, state) if "/netns/default" not in m),
        cgroups=frozenset(str(p) for p in cgroups(cgroup)),
        bridges=frozenset(_bridges(client)),
        folders=frozenset(str(p) for where in ("pods/*/*", "docker/*/pods/*") for p in state.glob(where)),
    )


def mounts(*folders: Path) -> list[str]:
    """Mount points below these folders, the innermost last."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines]
    return [p for p in points if any(p == str(f) or p.startswith(f"{f}/") for f in folders)]


def cgroups(parent: str) -> list[Path]:
    """The groups below one of this name, in every hierarchy."""
    return [p for place in _places(parent) for p in place.glob("*/") if p.is_dir()]


def remove_cgroups(parent: str) -> None:
    for place in _places(parent):
        for path in (*place.glob("*/"), place):
            with contextlib.suppress(OSError):
                path.rmdir()


def _places(parent: str) -> list[Path]:
    """Where a group of this name may be. runc makes it below the group of whoever started the engine, which is not the
    top in every hierarchy."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    above = {line.split(":", 2)[2].strip("/") for line in lines} | {""}
    roots = [CGROUPS, *(p for p in CGROUPS.iterdir() if p.is_dir())]
    return [root / group / parent for root in roots for group in above]


def unmount(folder: Path) -> None:
    for point in reversed(mounts(folder)):
        subprocess.run(["umount", "-l", point], check=False, capture_output=True)


def end_processes(folder: Path) -> None:
    """End what runs with a path below `folder` in its command line: containerd and its shims."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        found = _processes(folder)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + 5
        while found and _processes(folder) and time.monotonic() < deadline:
            time.sleep(0.02)


def _processes(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            program = os.path.basename(words[0])
            if program.startswith("containerd") and any(str(folder) in word for word in words):
                found.append(int(entry.name))
    return found


def _bridges(client: docker.APIClient) -> list[str]:
    """The links of the engine's networks but its usual one, and what is fastened to them."""
    found = []
    for network in client.networks(filters={"driver": "bridge", "type": "custom"}):
        bridge = Path("/sys/class/net") / f"br-{network['Id'][:12]}"
        found += [bridge.name, *(p.name for p in (bridge / "brif").glob("*"))]
    return found
