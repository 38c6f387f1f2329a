"""Frames: what an agent and the API say to each other on one connection into a pod.

A session carries an exec, an attach, or any number of connections to ports of a pod. A frame says what it holds
(`Part`), which connection it belongs to (0 where there is but one), and how many bytes follow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

HEADER = struct.Struct(">BII")
# The longest that one frame may be. Whoever sends splits what is longer.
LONGEST = 1 << 20


class Part(IntEnum):
    """What a frame holds. The first five are those of the Kubernetes channel protocols."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    # How it ended, in JSON: `{"exit": 3}`, or `{"error": "why it could not be carried out"}`.
    STATUS = 3
    # The size of the terminal, in JSON: `{"Width": 80, "Height": 24}`.
    RESIZE = 4
    # No more input follows (exec, attach), or no more data in this direction (connections).
    END = 5
    # Dial the port that the data names; DATA flows either way then, until CLOSED, whose data may say why.
    OPEN = 6
    DATA = 7
    CLOSED = 8
    # The agent's first frame: it began, or why it can't, in JSON `{"message": ...}`.
    BEGUN = 9
    REFUSED = 10


class Frame(NamedTuple):
    """One frame; `connection` is chosen by whoever opens it."""

    part: int
    data: bytes
    connection: int = 0


def encode(part: int, data: bytes = b"", connection: int = 0) -> bytes:
    """A frame as it travels; several of them if the data is long."""
    if len(data) <= LONGEST:
        return HEADER.pack(part, connection, len(data)) + data
    pieces = (data[at : at + LONGEST] for at in range(0, len(data), LONGEST))
    return b"".join(HEADER.pack(part, connection, len(piece)) + piece for piece in pieces)


class Decoder:
    """Frames out of bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now.

        Raises:
            ValueError: one claims to be longer than any may be.
        """
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        try:
            while end - at >= HEADER.size:
                part, connection, length = HEADER.unpack_from(data, at)
                if length > LONGEST:
                    raise ValueError(f"a frame of {length} bytes: at most {LONGEST} are allowed")
                start = at + HEADER.size
                if end - start < length:
                    break
                at = start + length
                yield Frame(part, data[start:at], connection)
        finally:
            self._rest = data[at:]
