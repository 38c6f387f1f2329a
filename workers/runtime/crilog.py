"""Logs in the format of the CRI, as shims write them.

The format: `<RFC 3339 time> <stdout|stderr> <F|P> <text>`; P is a part of a line that goes on. The time is always of one
length, and so are the names of the streams: the text begins at the same place in every line.
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from workers.runtime import log_files
from workers.runtime.log_files import Ended, lines_of
from workers.runtime.protocol import LogOptions

TIME = 30
STREAM = slice(31, 37)
PART = slice(38, 39)
TEXT = 40


class Cri:
    """See `log_files.Format`."""

    def moment(self, line: bytes) -> bytes:
        return line[:TIME]

    def moment_of(self, at: float) -> bytes:
        return stamp(at)

    def ends(self, line: bytes) -> bool:
        return line[PART] == b"F"

    def text(self, block: bytes, timestamps: bool, fresh: bool) -> tuple[bytes, bool]:
        if b" P " not in block and fresh:
            lines = block.split(b"\n")
            if timestamps:
                return b"\n".join([line[:TIME] + b" " + line[TEXT:] if line else b"" for line in lines]), True
            return b"\n".join([line[TEXT:] for line in lines]), True
        out = []
        for line in lines_of(block):
            if timestamps and fresh:
                out.append(line[:TIME] + b" ")
            fresh = line[PART] == b"F"
            out.append(line[TEXT:] if fresh else line[TEXT:-1])
        return b"".join(out), fresh


def read(path: Path, options: LogOptions, ended: Ended) -> Iterator[bytes]:
    """Chunks of what the log at `path` (older parts: `<path>.1`, ...) says.

    Args:
        ended: waits up to so many seconds for the container's end; whether it has ended.
    """
    return log_files.read(path, Cri(), options, ended)


def new_lines(path: Path, ended: Ended) -> Iterator[tuple[bytes, bytes]]:
    """What is written from now on: the stream (`stdout`, `stderr`), and the text. Arguments as of `read`."""
    for block in log_files.blocks(path, Cri(), LogOptions(follow=True, tail=0), ended):
        for line in lines_of(block):
            yield line[STREAM], line[TEXT:] if line[PART] == b"F" else line[TEXT:-1]


def stamp(at: float) -> bytes:
    """A time as the log has it. Of one length always, so that comparing texts compares times."""
    whole, part = divmod(round(at * 1e6), 1_000_000)
    return datetime.fromtimestamp(whole, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{part:06d}000Z").encode()
