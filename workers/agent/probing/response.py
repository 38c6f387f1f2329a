"""Reading the answer to a request, without minding more of it than a probe needs."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from workers.agent.probing.attempt import BODY_MAX
from workers.agent.probing.talk import Talk, receive

# As Go's client (Transport.MaxResponseHeaderBytes).
HEAD_MAX = 10 << 20
# The line before a chunk is never longer (Go: net/http/internal, maxLineLength).
LINE_MAX = 4096


class Malformed(ValueError):
    """What came is no answer. `said`: its beginning."""

    def __init__(self, message: str, said: bytes = b"") -> None:
        super().__init__(message)
        self.said = said


@dataclass(frozen=True, slots=True)
class Head:
    """Status and header lines of an answer. `rest`: what came of the body together with it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    rest: bytes = b""

    def get(self, name: str) -> str:
        """The value of a header, named in lower case; empty if there is none."""
        return self.headers.get(name, "")


def read_head(sock: socket.socket) -> Talk[Head]:
    """The head of the answer; those of no consequence (1xx) are passed over.

    Raises:
        OSError, Malformed.
    """
    data, searched = bytearray(), 0
    while True:
        # Only what is new: a long head comes in many pieces, and other probes wait meanwhile.
        end, length = _end_of_head(data, max(0, searched - 3))
        if end >= 0:
            head = _parsed(bytes(data[:end]), bytes(data[end + length :]))
            if not 100 <= head.status < 200 or head.status == 101:
                return head
            data, searched = bytearray(head.rest), 0
            continue
        searched, said = len(data), bytes(data[:64])
        if len(data) > HEAD_MAX:
            raise Malformed("net/http: server response headers exceeded 10485760 bytes; aborted", said)
        piece = yield from receive(sock)
        if not piece:
            if data:
                _check_status_line(bytes(data).split(b"\n", 1)[0])
            raise Malformed("unexpected EOF" if data else "EOF", said)
        data += piece
        if len(data) >= 5 and not data.startswith(b"HTTP/"):
            raise Malformed(_no_http(bytes(data)), bytes(data[:64]))


def read_body(sock: socket.socket, head: Head) -> Talk[bytes]:
    """The body, up to `BODY_MAX` bytes of it. Raises OSError; Malformed: it ends too early."""
    if head.status in (101, 204, 304):
        return b""
    if "chunked" in head.get("transfer-encoding").lower():
        return (yield from _read_chunks(sock, head.rest))
    length = head.get("content-length")
    wanted = min(int(length), BODY_MAX) if length.isdigit() else BODY_MAX
    data = head.rest
    while len(data) < wanted:
        piece = yield from receive(sock)
        if not piece:
            if length.isdigit():
                raise Malformed("unexpected EOF")
            break
        data += piece
    return data[:wanted]


def _read_chunks(sock: socket.socket, data: bytes) -> Talk[bytes]:
    """https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""
    body = b""
    while len(body) < BODY_MAX:
        line, newline, rest = data.partition(b"\n")
        size = -1
        if newline:
            try:
                size = int(line.split(b";", 1)[0].strip() or b"x", 16)
            except ValueError:
                raise Malformed("malformed chunked encoding", line[:64]) from None
            if size < 0:
                raise Malformed("malformed chunked encoding", line[:64])
            if size == 0:
                return body
            if len(rest) >= size + 2 or len(rest) >= BODY_MAX:
                body += rest[:size]
                data = rest[size:].removeprefix(b"\r").removeprefix(b"\n")
                continue
        elif len(data) > LINE_MAX:
            raise Malformed("header line too long", data[:64])
        piece = yield from receive(sock)
        if not piece:
            raise Malformed("unexpected EOF")
        data += piece
    return body[:BODY_MAX]


def _end_of_head(data: bytearray, start: int) -> tuple[int, int]:
    """Where the first empty line from `start` on begins, and how long it is."""
    proper, bare = data.find(b"\r\n\r\n", start), data.find(b"\n\n", start)
    if proper >= 0 and (bare < 0 or proper < bare):
        return proper, 4
    return bare, 2


def _parsed(head: bytes, rest: bytes) -> Head:
    first, _, lines = head.partition(b"\n")
    status = _check_status_line(first)
    headers: dict[str, str] = {}
    for line in lines.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.strip().decode("latin-1").lower(), value.strip().decode("latin-1"))
    return Head(status, headers, rest)


def _check_status_line(line: bytes) -> int:
    """The status. Raises Malformed."""
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        raise Malformed(_no_http(line), line[:64])
    if len(words[1]) != 3 or not words[1].isdigit():
        said = words[1].decode("latin-1")
        text = f'net/http: HTTP/1.x transport connection broken: malformed HTTP status code "{said}"'
        raise Malformed(text, line[:64])
    return int(words[1])


def _no_http(data: bytes) -> str:
    said = data.split(b"\n", 1)[0].rstrip(b"\r")[:64].decode("latin-1").encode("unicode_escape").decode()
    return f'net/http: HTTP/1.x transport connection broken: malformed HTTP response "{said}"'
