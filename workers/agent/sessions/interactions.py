"""Sessions of users with containers: a command run for them, or the container's own process."""

from __future__ import annotations

import threading
from typing import Any

import orjson

from app.base.errors import BeanpoleError
from app.base.frames import Frame, Part, encode
from workers.agent.sessions.line import HungUp, Line
from workers.runtime.interactive import Interactive

# One wait for output or room for input; in between it is seen whether anybody still is there. Seconds.
WAIT = 1.0
# How long the API may take to hang up once it was told the end. Seconds.
PARTING = 10.0


def talk(line: Line, running: Interactive) -> None:
    """Carry input and output until the process ends or the user leaves; then nothing of it is left running."""
    ended = threading.Event()
    outward = threading.Thread(
        target=_outward, args=(line, running, ended), name="session-output", daemon=True
    )
    try:
        line.send(encode(Part.BEGUN))
        outward.start()
        for frame in line.frames(until=ended, patience=PARTING):
            _inward(line, running, frame, ended)
    except HungUp:
        pass
    finally:
        line.close()
        running.close()
        if outward.ident is not None:
            outward.join()


def _outward(line: Line, running: Interactive, ended: threading.Event) -> None:
    """From the process to the API."""
    try:
        while (piece := running.read(WAIT)) is not None:
            stream, data = piece
            if data:
                line.send(encode(stream, data))
            elif line.gone():
                return
        line.send(encode(Part.STATUS, orjson.dumps(_end_of(running))))
    except (HungUp, OSError):
        # The other loop sees it, too, and lets go of the process.
        return
    finally:
        ended.set()


def _end_of(running: Interactive) -> dict[str, Any]:
    try:
        return {"exit": running.exit_code()}
    except BeanpoleError as exc:
        return {"error": str(exc)}


def _inward(line: Line, running: Interactive, frame: Frame, ended: threading.Event) -> None:
    """One frame from the API. Raises HungUp."""
    if frame.part == Part.STDIN:
        data = frame.data
        while data and not ended.is_set():
            try:
                data = data[running.write(data, WAIT) :]
            except OSError:
                # It reads no more; that is its own affair.
                return
            if data and line.gone():
                raise HungUp("the user left")
    elif frame.part == Part.END:
        running.end_input()
    elif frame.part == Part.RESIZE:
        size = _size(frame.data)
        if size is not None:
            running.resize(*size)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height out of a message, if it holds any that a terminal can have."""
    try:
        # Several may have been sent together; the last counts.
        said = orjson.loads(data.strip().splitlines()[-1])
        width, height = int(said["Width"]), int(said["Height"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return (width, height) if 0 < width < 65536 and 0 < height < 65536 else None
