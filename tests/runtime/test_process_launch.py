"""Starting a container's process, as the process runtime has it."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import eventually
from workers.runtime.process import launch
from workers.runtime.process.files import ContainerFolder
from workers.runtime.protocol import ContainerError


def nobody_holds(lock: Path) -> bool:
    """A shim holds it as long as it lives, and what it forked does until it becomes the command."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_start_that_takes_too_long_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "START_TIMEOUT", 0.5)
    stuck = tmp_path / "stuck"
    os.mkfifo(stuck)
    told = launch.Launch("", "/", ["/bin/sleep", "60"], {}, entrances=[str(stuck)])
    with pytest.raises(ContainerError, match="no start within"):
        launch.start(tmp_path, "", told)
    eventually(lambda: nobody_holds(tmp_path / "lock"), "all of it has ended", 5)
    assert not (tmp_path / "state").exists()


def test_a_container_outlives_an_agent_that_did_not_hear_of_its_start(tmp_path: Path) -> None:
    folder = ContainerFolder(tmp_path, "uid", "main", 0)
    told = launch.Launch("", "/", ["/bin/sleep", "60"], {})
    fields = [str(tmp_path), "", "", "100000,1", *launch.payload(told)]
    with subprocess.Popen(
        [*launch.PYTHON, str(launch.HERE / "shim.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdout.close()
        first.stdin.write("\0".join(fields).encode())

    eventually(lambda: folder.recorded() is not None, "it has started")
    recorded = folder.recorded()
    assert recorded is not None
    eventually(
        lambda: os.readlink(f"/proc/{recorded.shim.pid}/fd/1") == os.devnull, "it would have said so by now"
    )
    assert recorded.main.alive()
    recorded.main.kill(9)
    assert recorded.shim.wait(10)
