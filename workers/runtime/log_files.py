"""Reading a log that lies in files, which are moved aside as they grow: `log`, then `log.1`, `log.2`, ... the oldest last.

What a line looks like is the business of a `Format` (`crilog`, `docker.json_log`). Lines are handled in blocks: a log
of 100 MB has a million of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from workers.runtime.protocol import LogOptions

# A log is read, and handed on, in pieces of about this many bytes.
BLOCK = 128 * 1024
# How often a followed log is looked at, in seconds; the container's end is seen at once.
LOOK = 0.1

# Waits up to so many seconds for the container's end; whether it has ended.
Ended = Callable[[float], bool]


class Format(Protocol):
    """How lines are written. All take and give lines with the newline at their end."""

    def moment(self, line: bytes) -> bytes:
        """When it was written, as bytes that compare as the times do."""
        ...

    def moment_of(self, at: float) -> bytes:
        """The same of a time in seconds since the epoch."""
        ...

    def ends(self, line: bytes) -> bool:
        """Whether a line of the container's ends with it, and not only a part of one."""
        ...

    def text(self, block: bytes, timestamps: bool, fresh: bool) -> tuple[bytes, bool]:
        """What the container printed, in a block of lines; with `timestamps`, the time before each line of it.
        `fresh`: the block begins with the beginning of a line; and so for the next one, in the answer."""
        ...


def read(path: Path, form: Format, options: LogOptions, ended: Ended) -> Iterator[bytes]:
    """Chunks of what the log at `path` says."""
    return limited(_texts(blocks(path, form, options, ended), form, options.timestamps), options.limit_bytes)


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


def blocks(path: Path, form: Format, options: LogOptions, ended: Ended) -> Iterator[bytes]:
    """The lines that are asked for, as they stand in the files."""
    since = form.moment_of(options.since) if options.since is not None else b""
    files = _Files(path)
    over = not options.follow
    try:
        files.begin(form, options.tail)
        while True:
            for block in files.unread():
                chosen = _since(block, since, form) if since else block
                if chosen:
                    yield chosen
            if over:
                return
            # Once more after the end: what was written before it is to be read too.
            over = ended(LOOK)
            # Whoever reads may have gone, and has a chance to notice.
            yield b""
    finally:
        files.close()


class _Files:
    """The files of one log, of which one after another is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def begin(self, form: Format, tail: int | None) -> None:
        """Open the oldest file; or the one in which the last `tail` lines begin, there."""
        missing = tail
        for path in self._names():
            file = _open(path)
            if file is None:
                break
            self.close()
            self._file = file
            if missing is not None:
                offset, missing = _last(file, form, missing)
                file.seek(offset)
                # From the very beginning on: the first line may have begun in an older file.
                if offset:
                    return

    def unread(self) -> Iterator[bytes]:
        """Whole lines, up to the end of the newest file."""
        while True:
            if self._file is not None:
                if self._file.tell() > os.fstat(self._file.fileno()).st_size:
                    # The engine empties the file instead of moving it aside, where only one is kept.
                    self._file.seek(0)
                yield from _whole(self._file)
            following = self._next()
            if following is None:
                return
            if self._file is not None:
                # What was written between the last look and the moving aside.
                yield from _whole(self._file)
                self._file.close()
            self._file = following

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _next(self) -> BinaryIO | None:
        """The file that was begun after the one that is read; None if that is the newest."""
        while True:
            if self._file is None:
                return _open(self._path)
            mine = os.fstat(self._file.fileno()).st_ino
            if _inode(self._path) in (mine, 0):
                return None
            newer = None
            for path in self._names():
                inode = _inode(path)
                if inode in (mine, 0):
                    break
                newer = path, inode
            if newer is None:
                continue
            file = _open(newer[0])
            if file is not None and os.fstat(file.fileno()).st_ino == newer[1]:
                return file
            # They were moved on in between.
            if file is not None:
                file.close()

    def _names(self) -> Iterator[Path]:
        """The newest first."""
        yield self._path
        number = 1
        while (older := self._path.with_name(f"{self._path.name}.{number}")).exists():
            yield older
            number += 1


def lines_of(block: bytes) -> list[bytes]:
    """Each with its newline."""
    return [line + b"\n" for line in block.split(b"\n")[:-1]]


def _texts(lines: Iterator[bytes], form: Format, timestamps: bool) -> Iterator[bytes]:
    fresh = True
    for block in lines:
        text, fresh = form.text(block, timestamps, fresh)
        yield text


def _since(block: bytes, since: bytes, form: Format) -> bytes:
    """The lines of the block that were not written before `since`."""
    last = block.rfind(b"\n", 0, len(block) - 1) + 1
    if form.moment(block[last:]) < since:
        return b""
    if form.moment(block[: block.find(b"\n") + 1]) >= since:
        return block
    return b"".join(line for line in lines_of(block) if form.moment(line) >= since)


def _whole(file: BinaryIO) -> Iterator[bytes]:
    """Blocks of lines up to the end; one not yet written to its end is left for the next time."""
    size = BLOCK
    while True:
        at = file.tell()
        data = file.read(size)
        cut = data.rfind(b"\n") + 1
        file.seek(at + cut)
        if cut:
            yield data[:cut]
        elif len(data) == size:
            size *= 2
            continue
        if len(data) < size:
            return
        size = BLOCK


def _last(file: BinaryIO, form: Format, count: int) -> tuple[int, int]:
    """Where the last `count` lines of the container's begin, and how many of them the file lacks."""
    fd, rest, seen = file.fileno(), b"", 0
    at = os.fstat(fd).st_size
    whole = False
    while at > 0:
        step = min(BLOCK, at)
        at -= step
        data = os.pread(fd, step, at) + rest
        if not whole:
            # The end of a line that is still being written.
            data = data[: data.rfind(b"\n") + 1]
            whole = bool(data)
        first = data.find(b"\n") + 1 if at else 0
        high = len(data)
        while high > first:
            low = max(first, data.rfind(b"\n", first, high - 1) + 1)
            if form.ends(data[low:high]):
                if seen == count:
                    return at + high, 0
                seen += 1
            high = low
        rest = data[:first] if at else b""
        if at and first == len(data):
            # One line that is longer than all that was read.
            rest = data
    return 0, count - seen


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return None


def _inode(path: Path) -> int:
    """0 if there is no such file."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0
