"""A channel: one connection of an agent to the API that carries bytes both ways for as long as somebody needs it.

It begins as an HTTP request and is then switched to bytes (RFC 9110, 7.8), so that it passes whatever lets
WebSockets pass. The agent makes it; no port of its own is open.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.base.errors import BeanpoleError

PROTOCOL = "beanpole-frames"
# The head of an answer may be this long, and what is read at once. Bytes.
HEAD_MAX = 16 * 1024
READ = 256 * 1024
# How often somebody who waits looks whether the other side is still there. Seconds.
LOOK = 1.0


class Broken(BeanpoleError):
    """The channel could not be made, or is gone."""


class Channel:
    """Bytes to and from the API; one thread may read while another writes.

    The socket never blocks: OpenSSL allows one call at a time, so the lock is held for each, and for no wait.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lock = threading.Lock()
        self._closed = False
        sock.setblocking(False)
        keep_alive(sock)

    def receive(self, timeout: float) -> bytes | None:
        """What came, waiting up to `timeout` seconds; empty if nothing did. None once the other side is gone."""
        data = self._read()
        if data is None:
            if not self._wait(select.POLLIN, timeout):
                return b""
            data = self._read()
        if data is None:
            return b""
        return data or None

    def send(self, data: bytes) -> None:
        """Send all of it, however long the other side takes.

        Raises:
            Broken: the other side is gone.
        """
        view = memoryview(data)
        while view:
            try:
                with self._lock:
                    if self._closed:
                        raise Broken("the channel is closed")
                    sent = self._socket.send(view)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, LOOK)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, LOOK)
            except OSError as exc:
                raise Broken(f"the connection to the API broke: {exc}") from exc
            else:
                view = view[sent:]

    def gone(self) -> bool:
        """Whether the other side has hung up, though what it sent may not be read yet."""
        poll = select.poll()
        try:
            poll.register(self._socket.fileno(), select.POLLRDHUP)
        except (OSError, ValueError):
            return True
        return bool(poll.poll(0))

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def _read(self) -> bytes | None:
        """What is there now, empty at the end; None if nothing is."""
        pieces: list[bytes] = []
        size = 0
        while size < READ:
            try:
                with self._lock:
                    piece = b"" if self._closed else self._socket.recv(READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:
                piece = b""
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces) if pieces else None

    def _wait(self, event: int, timeout: float) -> bool:
        poll = select.poll()
        try:
            poll.register(self._socket.fileno(), event)
        except (OSError, ValueError):
            return True
        return bool(poll.poll(timeout * 1000))


def connect(
    server: str, path: str, tls: ssl.SSLContext | None, headers: Mapping[str, str], timeout: float
) -> Channel:
    """A channel to `path` of the API at `server`, made within `timeout` seconds for each step.

    Raises:
        Broken: the API can't be reached, or does not want it; says why.
    """
    parts = urlsplit(server)
    host = parts.hostname or "127.0.0.1"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        sock = socket.create_connection((host, port), timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                sock = tls.wrap_socket(sock, server_hostname=host)
            sock.sendall(_request(parts.netloc, path, headers))
            _switched(sock)
        except BaseException:
            sock.close()
            raise
    except OSError as exc:
        raise Broken(f"{server}{path}: {exc}") from exc
    return Channel(sock)


def keep_alive(sock: socket.socket) -> None:
    """Notice within a minute that the machine on the other side is gone."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def _request(host: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", f"Upgrade: {PROTOCOL}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _switched(sock: socket.socket) -> None:
    """Read the head of the answer, and nothing behind it. Raises Broken unless it switches."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the head belongs to the channel.
        piece = sock.recv(1)
        if not piece or len(head) > HEAD_MAX:
            raise Broken(f"no answer: {head[:80]!r}")
        head += piece
    status = head.split(b"\r\n", 1)[0].decode("latin-1")
    if status.split(" ")[1:2] != ["101"]:
        raise Broken(f"the API answered {status}")
