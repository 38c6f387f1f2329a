"""Talking to a command, as the process runtime has it."""

from __future__ import annotations

import threading

from workers.runtime.process import interactive
from workers.runtime.process.launch import Launch


def test_whoever_reads_hears_of_the_end_before_anything_is_closed() -> None:
    told = Launch(mode="", directory="/", command=["sleep", "60"], env={"PATH": "/usr/bin:/bin"}, join=-1)
    command = interactive.begin(told, stdin=True, tty=False)
    came: list[object] = []
    reader = threading.Thread(target=lambda: came.append(command.read(60)))
    reader.start()
    command.close()
    reader.join(10)
    assert came == [None]
    assert command.read(0) is None
