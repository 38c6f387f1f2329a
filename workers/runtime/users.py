"""Whom a container's first process runs as (`containerStatuses[].user`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class User:
    """Numbers of a user, its group, and all its groups."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def of_process(pid: int, mark: str, proc: Path = Path("/proc")) -> User | None:
    """As the kernel tells; None if it can't be seen from here.

    Args:
        mark: what the path of its control group has in it. An agent in a container of its own sees other processes under
            the engine's numbers.
    """
    try:
        if mark not in (proc / str(pid) / "cgroup").read_text():
            return None
        text = (proc / str(pid) / "status").read_text()
    except OSError:
        return None
    fields = {line.partition(":")[0]: line.partition(":")[2].split() for line in text.splitlines()}
    gid = int(fields["Gid"][0])
    groups = (gid, *(int(each) for each in fields.get("Groups") or ()))
    return User(int(fields["Uid"][0]), gid, tuple(dict.fromkeys(groups)))
