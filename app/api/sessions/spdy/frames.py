"""SPDY's frames: bytes in, events out, and back."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.api.sessions.spdy.dictionary import DICTIONARY

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
# Status of RST_STREAM.
PROTOCOL_ERROR, CANCEL = 1, 5
_VERSION = 0x8003
_MASK = 0x7FFFFFFF
# A control frame and a header block are never this long between honest partners; data frames may be any length that
# three bytes can tell, and are handed on as they come.
CONTROL_MAX = 64 * 1024
BLOCK_MAX = 256 * 1024


class Malformed(ValueError):
    """What came is no SPDY, or more than anybody needs."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The client opened a stream. Header names are in lower case; of several values the first counts."""

    stream: int
    headers: dict[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class Data:
    """Data on a stream; `fin` says that the client sends no more on it."""

    stream: int
    data: bytes
    fin: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """The client gave a stream up."""

    stream: int


@dataclass(frozen=True, slots=True)
class Pinged:
    """The client wants this number back."""

    number: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """The client opens no more streams."""


Event = Opened | Data | Reset | Pinged | Leaving


class Decoder:
    """Events out of a client's bytes, in pieces of any size. Header blocks share one state of compression."""

    def __init__(self) -> None:
        self._rest = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        # Of a data frame that is under way: its stream, whether it ends it, and what is yet to come.
        self._data: tuple[int, bool, int] | None = None

    def feed(self, data: bytes) -> Iterator[Event]:
        """What the bytes bring. Raises Malformed."""
        self._rest = self._rest + data if self._rest else data
        while True:
            event = self._piece() if self._data is not None else self._frame()
            if event is None:
                return
            if event is not _NOTHING:
                yield event

    def _piece(self) -> Event | None:
        assert self._data is not None
        stream, fin, left = self._data
        if left and not self._rest:
            return None
        data, self._rest = self._rest[:left], self._rest[left:]
        left -= len(data)
        self._data = (stream, fin, left) if left else None
        return Data(stream, data, fin and not left)

    def _frame(self) -> Event | None:
        if len(self._rest) < 8:
            return None
        first, second = struct.unpack_from(">II", self._rest)
        flags, length = second >> 24, second & 0xFFFFFF
        if not first >> 31:
            self._rest = self._rest[8:]
            self._data = (first, bool(flags & FIN), length)
            return self._piece() if length else self._empty(first, flags)
        if first >> 16 != _VERSION:
            raise Malformed(f"version {(first >> 16) & 0x7FFF} of SPDY")
        if length > CONTROL_MAX:
            raise Malformed(f"a control frame of {length} bytes")
        if len(self._rest) < 8 + length:
            return None
        body, self._rest = self._rest[8 : 8 + length], self._rest[8 + length :]
        try:
            return self._control(first & 0xFFFF, flags, body)
        except (struct.error, zlib.error, UnicodeDecodeError) as exc:
            raise Malformed(f"frame of type {first & 0xFFFF}: {exc}") from exc

    def _empty(self, stream: int, flags: int) -> Event:
        self._data = None
        return Data(stream, b"", bool(flags & FIN))

    def _control(self, kind: int, flags: int, body: bytes) -> Event:
        if kind in (SYN_STREAM, SYN_REPLY, HEADERS):
            # Each block has to be read, wanted or not: the next one builds upon it.
            (stream,) = struct.unpack_from(">I", body)
            headers = self._headers(body[10 if kind == SYN_STREAM else 4 :])
            return Opened(stream & _MASK, headers, bool(flags & FIN)) if kind == SYN_STREAM else _NOTHING
        if kind == RST_STREAM:
            return Reset(struct.unpack_from(">I", body)[0] & _MASK)
        if kind == PING:
            return Pinged(struct.unpack_from(">I", body)[0])
        return Leaving() if kind == GOAWAY else _NOTHING

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block, BLOCK_MAX)
        if self._inflate.unconsumed_tail:
            raise Malformed("a block of headers that is too long")
        (count,) = struct.unpack_from(">I", plain)
        at, found = 4, {}
        for _ in range(min(count, 1000)):
            pair = []
            for _ in range(2):
                (length,) = struct.unpack_from(">I", plain, at)
                if at + 4 + length > len(plain):
                    raise Malformed("a header that is cut off")
                pair.append(plain[at + 4 : at + 4 + length].decode("latin-1"))
                at += 4 + length
            found[pair[0].lower()] = pair[1].partition("\0")[0]
        return found


class Encoder:
    """A server's frames, and (for tests) a client's. One thread makes those with headers."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream: int, headers: Mapping[str, str], *, fin: bool = False) -> bytes:
        """SYN_STREAM."""
        body = struct.pack(">IIH", stream, 0, 0) + self._block(headers)
        return _control(SYN_STREAM, body, FIN if fin else 0)

    def reply(self, stream: int, headers: Mapping[str, str] | None = None) -> bytes:
        """SYN_REPLY: the stream is accepted."""
        return _control(SYN_REPLY, struct.pack(">I", stream) + self._block(headers or {}))

    def _block(self, headers: Mapping[str, str]) -> bytes:
        words = [word.encode("latin-1") for pair in headers.items() for word in pair]
        plain = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(w)) + w for w in words)
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def data(stream: int, piece: bytes, *, fin: bool = False) -> bytes:
    """A data frame; the piece is shorter than 16 MiB."""
    return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(piece)) + piece


def reset(stream: int, status: int) -> bytes:
    """RST_STREAM."""
    return _control(RST_STREAM, struct.pack(">II", stream, status))


def ping(number: int) -> bytes:
    """PING, or the answer to one."""
    return _control(PING, struct.pack(">I", number))


def _control(kind: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack(">II", _VERSION << 16 | kind, flags << 24 | len(body)) + body


# A frame that means nothing to a server.
_NOTHING = Leaving()
