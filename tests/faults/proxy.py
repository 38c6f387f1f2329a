"""A line between an agent and its engine that counts the calls, so that something can happen at each of them."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Then:
    """What is done about a request. `sent`: once it was handed on. `answered`: once the engine has answered, which is
    then kept from the agent."""

    sent: Callable[[], None] | None = None
    answered: Callable[[], None] | None = None


# `called(method, path)`: a whole request has come and was not yet handed on.
Called = Callable[[str, str], Then | None]


class Proxy:
    """Listens at `path`, and hands on to the engine at `engine`. Each connection is one at a time, as the SDK uses it."""

    def __init__(self, path: Path, engine: Path, called: Called) -> None:
        self.url = f"unix://{path}"
        self._engine, self._called = engine, called
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(64)
        self._open: set[socket.socket] = set()
        self._asked: dict[socket.socket, str] = {}
        self._kept: dict[socket.socket, Callable[[], None]] = {}
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def close(self) -> None:
        for each in (self._listening, *list(self._open)):
            _hang_up(each)

    def cut(self, word: str) -> int:
        """Break the connections over which something with that word in its path was asked last; how many those were."""
        found = [client for client, path in list(self._asked.items()) if word in path]
        for each in found:
            _hang_up(each)
        return len(found)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._engine))
            self._open |= {client, server}
            threading.Thread(target=self._up, args=(client, server), name="proxy-up", daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), name="proxy-down", daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ConnectionError):
            rest = b""
            while True:
                request, rest = _request(client, rest)
                method, path = request.split(b"\r\n", 1)[0].decode().split()[:2]
                self._asked[client] = path
                then = self._called(method, path) or Then()
                if then.answered is not None:
                    self._kept[server] = then.answered
                server.sendall(request)
                if then.sent is not None:
                    then.sent()
                if b"\r\nupgrade:" in request[:2000].lower():
                    server.sendall(rest)
                    while data := client.recv(65536):
                        server.sendall(data)
                    break
        self._asked.pop(client, None)
        self._end(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                answered = self._kept.pop(server, None)
                if answered is not None:
                    answered()
                    break
                client.sendall(data)
        self._end(client, server)

    def _end(self, *pair: socket.socket) -> None:
        for each in pair:
            self._open.discard(each)
            _hang_up(each)


def _request(client: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
    """One whole request, and what came after it. Raises ConnectionError: there is none."""
    while b"\r\n\r\n" not in rest:
        rest += _more(client)
    head, _, body = rest.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    if _CHUNKED.search(head):
        while _END not in body:
            body += _more(client)
        end = body.index(_END) + len(_END)
    else:
        found = _LENGTH.search(head)
        end = int(found[1]) if found else 0
        while len(body) < end:
            body += _more(client)
    return head + body[:end], body[end:]


def _more(client: socket.socket) -> bytes:
    data = client.recv(1 << 20)
    if not data:
        raise ConnectionError("the agent has hung up")
    return data


def _hang_up(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
