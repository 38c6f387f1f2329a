"""What a cgroup has used, read from the kernel's own files: a hundred times cheaper than asking an engine.

Both versions of cgroups, and the machines that have both
(https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workers.runtime import cgroup_memory

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """Where one container's files are: the folders that count its cpu, its memory, and its processes if it is known."""

    cpu: Path
    memory: Path
    pids: Path | None = None

    def read(self) -> tuple[int, int, int]:
        """Nanoseconds of cpu, bytes of the working set, and processes and threads (0: nobody counts them).

        Raises:
            OSError, ValueError, KeyError: the container has ended, or the files are not what they are known for.
        """
        if (self.cpu / "cpuacct.usage").exists():
            cpu = int((self.cpu / "cpuacct.usage").read_text())
        else:
            cpu = cgroup_memory.table(self.cpu / "cpu.stat")["usage_usec"] * 1000
        pids = int((self.pids / "pids.current").read_text()) if self.pids else 0
        return cpu, cgroup_memory.of_group(self.memory), pids


def find(pid: int, container_id: str, root: Path = ROOT, proc: Path = Path("/proc")) -> Cgroup | None:
    """The cgroup of a container, of which `pid` is a process; None if it can't be seen from here.

    An agent in a container of its own sees other processes under the engine's pids, or paths that begin elsewhere:
    then the id is not in the path.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    cpu = memory = pids = None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if container_id not in path or "/../" in path:
            continue
        below = path.lstrip("/")
        if not controllers:
            whole = _first(root / below, root / "unified" / below)
            cpu, memory = cpu or _having(whole, "cpu.stat"), memory or _having(whole, "memory.current")
            pids = pids or _having(whole, "pids.current")
        names = controllers.split(",")
        if "cpuacct" in names:
            cpu = _first(root / "cpuacct" / below, root / controllers / below)
        if "memory" in names:
            memory = _first(root / "memory" / below)
        if "pids" in names:
            pids = _having(root / "pids" / below, "pids.current")
    return Cgroup(cpu, memory, pids) if cpu and memory else None


def holds(pid: int, container_id: str, proc: Path = Path("/proc")) -> bool:
    """Whether `pid` is a process of the container here, too, and not one that has the same number by chance (see
    `find`)."""
    try:
        return bool(container_id) and container_id in (proc / str(pid) / "cgroup").read_text()
    except OSError:
        return False


def _first(*folders: Path) -> Path | None:
    return next((folder for folder in folders if folder.is_dir()), None)


def _having(folder: Path | None, name: str) -> Path | None:
    return folder if folder is not None and (folder / name).exists() else None
