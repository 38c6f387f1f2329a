"""Taking turns: the agents of several nodes on one machine write one and the same table.

An agent that lags behind must not put back an endpoint that another has already taken out, so the file
remembers the revision in force and who wrote it. A writer that is gone binds nobody: after a restart,
perhaps of a whole new cluster with revisions from 1 on, the first agent writes whatever it knows.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Writing:
    """What was written last: `pid` and `began` (ticks since boot) tell the process, `digest` the text."""

    pid: int
    began: int
    revision: int
    digest: str


class Turn:
    """One writer's turn, while the file is locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last = _read(path)

    def outdated(self, revision: int) -> bool:
        """Whether another writer that is alive has written newer rules."""
        last = self.last
        if last is None or last.revision <= revision or last.pid == os.getpid():
            return False
        return _began(last.pid) == last.began

    def wrote(self, revision: int, digest: str) -> None:
        mine = Writing(os.getpid(), _began(os.getpid()), revision, digest)
        self._path.write_text(json.dumps(asdict(mine)))


@contextmanager
def turn(folder: Path, table: str) -> Iterator[Turn]:
    """Wait for the turn to write `table`, and have it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{table}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Turn(folder / f"{table}.written")


def _read(path: Path) -> Writing | None:
    try:
        return Writing(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _began(pid: int) -> int:
    """When a process began, in ticks since boot; 0 if there is none (proc(5), field 22 of stat)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0
