"""Reading a container's log in the format of the CRI, as `kubectl logs` asks for it.

The format: `<RFC 3339 time> <stdout|stderr> <F|P> <text>`; P is a part of a line that goes on.
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from workers.runtime.protocol import LogOptions

# Output is handed on in pieces of about this many bytes.
CHUNK = 64 * 1024
# How often a followed log is looked at, in seconds; the container's end is seen at once.
LOOK = 0.1


def read(path: Path, options: LogOptions, ended: Callable[[float], bool]) -> Iterator[bytes]:
    """Chunks of what the log at `path` (older part: `<path>.1`) says.

    Args:
        ended: waits up to so many seconds for the container's end; whether it has ended.
    """
    return limited(_formatted(_chosen(path, options, ended), options.timestamps), options.limit_bytes)


def new_lines(path: Path, ended: Callable[[float], bool]) -> Iterator[tuple[bytes, bytes]]:
    """What is written from now on: the stream (`stdout`, `stderr`), and the text. Arguments as of `read`."""
    for line in _chosen(path, LogOptions(follow=True, tail=0), ended):
        _, stream, part, text = line[:-1].split(b" ", 3)
        yield stream, text + b"\n" if part == b"F" else text


def limited(chunks: Iterator[bytes], limit: int | None) -> Iterator[bytes]:
    """The first `limit` bytes of `chunks`; None is no limit."""
    if limit is None:
        yield from chunks
        return
    left = limit
    while left > 0:
        chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk[:left]
        left -= len(chunk)


def stamp(at: float) -> bytes:
    """A time as the log has it. Of one length always, so that comparing texts compares times."""
    whole, part = divmod(round(at * 1e6), 1_000_000)
    return datetime.fromtimestamp(whole, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{part:06d}000Z").encode()


def _chosen(path: Path, options: LogOptions, ended: Callable[[float], bool]) -> Iterator[bytes]:
    """The lines of the log that are asked for, as they stand in the file."""
    since = stamp(options.since) if options.since is not None else b""
    old = path.with_name(path.name + ".1")
    kept: deque[bytes] = deque()
    full = 0
    files = [file for file in (_open(old), _open(path)) if file]
    try:
        if options.tail is None:
            for file in files:
                for line in _whole(file):
                    if line[:30] >= since:
                        yield line
        elif options.tail >= 0:
            for file in files:
                for line in _whole(file):
                    if line[:30] < since:
                        continue
                    kept.append(line)
                    full += _ends(line)
                    while full > options.tail:
                        full -= _ends(kept.popleft())
            yield from kept
        if options.follow:
            yield from _follow(path, files, since, ended)
    finally:
        for file in files:
            file.close()


def _follow(
    path: Path, files: list[BinaryIO], since: bytes, ended: Callable[[float], bool]
) -> Iterator[bytes]:
    over = False
    while True:
        for line in _whole(files[-1]) if files else ():
            if line[:30] >= since:
                yield line
        if not files or _moved(path, files[-1]):
            newer = _open(path)
            if newer:
                files.append(newer)
                continue
        if over:
            return
        # Once more after the end: what was written before it is to be read too.
        over = ended(LOOK)


def _whole(file: BinaryIO) -> Iterator[bytes]:
    """Lines up to the end; one not yet written to its end is left for the next time."""
    while True:
        at = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(at)
            return
        yield line


def _formatted(lines: Iterator[bytes], timestamps: bool) -> Iterator[bytes]:
    pending: list[bytes] = []
    size = 0
    fresh = True
    for line in lines:
        time, _, part, text = line[:-1].split(b" ", 3)
        if timestamps and fresh:
            text = time + b" " + text
        fresh = part == b"F"
        pending.append(text + b"\n" if fresh else text)
        size += len(text) + 1
        # A slow producer's lines must not wait for company, so hand on what a line brings.
        if size >= CHUNK or fresh:
            yield b"".join(pending)
            pending, size = [], 0
    if pending:
        yield b"".join(pending)


def _ends(line: bytes) -> int:
    """Whether it is the end of a line of the container's (not a part that goes on)."""
    return line.split(b" ", 3)[2] == b"F"


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _moved(path: Path, file: BinaryIO) -> bool:
    try:
        return os.stat(path).st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
