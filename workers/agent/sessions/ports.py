"""Sessions of users with ports of a pod: any number of TCP connections over one line."""

from __future__ import annotations

import threading

from app.base.frames import Frame, Part, encode
from workers.agent.sessions.connection import Connection, Dial
from workers.agent.sessions.line import HungUp, Line

# Connections that one session may have open.
MOST = 256


def forward(line: Line, dial: Dial) -> None:
    """Serve connections until the user leaves."""
    line.send(encode(Part.BEGUN))
    open_ones: dict[int, Connection] = {}
    try:
        for frame in line.frames(until=threading.Event(), patience=0.0):
            _take(line, dial, open_ones, frame)
    finally:
        for each in list(open_ones.values()):
            each.close()


def _take(line: Line, dial: Dial, open_ones: dict[int, Connection], frame: Frame) -> None:
    """One frame from the API. Raises HungUp."""
    number = frame.connection
    known = open_ones.get(number)
    if frame.part == Part.OPEN:
        if known is not None:
            raise HungUp(f"connection {number} was opened twice")
        if len(open_ones) >= MOST:
            line.send(encode(Part.CLOSED, f"too many connections: at most {MOST} at a time".encode(), number))
            return
        made = open_ones[number] = Connection(
            line,
            number,
            int(frame.data),
            dial,
            over=lambda: open_ones.pop(number, None),
            alone=lambda: len(open_ones) == 1,
        )
        made.start()
    elif known is None:
        # It ended a moment ago, and the other side has yet to hear of it.
        return
    elif frame.part == Part.DATA and frame.data:
        known.put(frame.data)
    elif frame.part == Part.END:
        known.end()
    elif frame.part == Part.CLOSED:
        known.close()
