"""Supervisors of the process runtime's containers, whatever their containers and users do."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from workers.runtime.process import attaching, shim
from workers.runtime.process.attaching import HEAD, INPUT


def test_a_log_is_written_again_once_its_files_can_be_moved_aside(tmp_path: Path) -> None:
    for files in (1, 2):
        folder = tmp_path / str(files)
        folder.mkdir()
        log = shim.Log(str(folder), 100, files)
        log.write(b"stdout", b"x" * 80 + b"\n")
        inaccessible = folder / "log.1" if files > 1 else folder / "log"
        if files == 1:
            inaccessible.unlink()
        inaccessible.mkdir()
        log.write(b"stdout", b"lost\n")
        inaccessible.rmdir()
        log.write(b"stdout", b"kept\n")
        os.close(log.fd)
        assert (folder / "log").read_bytes().endswith(b" stdout F kept\n")


def test_what_a_container_left_running_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with open("/dev/zero", "rb") as endless, open(os.devnull, "rb") as silent:
        log = shim.Log(str(tmp_path), 1 << 20, 1)
        process = subprocess.Popen(["sh", "-c", "exit 3"], start_new_session=True)
        assert (
            os.waitstatus_to_exitcode(shim.supervise(log, process.pid, endless.fileno(), silent.fileno()))
            == 3
        )
        process.returncode = 3
        os.close(log.fd)


def test_who_leaves_while_their_input_waits_keeps_no_supervisor_busy(tmp_path: Path) -> None:
    unread, given = os.pipe()
    supervisor = attaching.Supervisor(
        str(tmp_path), shim.Log(str(tmp_path), 1 << 20, 1), {}, given, False, False
    )
    never, end = os.pipe()
    user = attaching.connect(str(tmp_path))
    much = b"x" * attaching.READ
    for _ in range(2):
        user.sendall(HEAD.pack(INPUT, len(much)) + much)
    while not supervisor.pending:
        supervisor.turn(never)
    user.close()

    told = threading.Timer(0.3, os.write, (end, b"."))
    told.start()
    turns = 1
    while not supervisor.turn(never):
        turns += 1
    assert turns < 50
    told.join()
    supervisor.listener.close()
    for fd in (unread, given, never, end, supervisor.log.fd):
        os.close(fd)
