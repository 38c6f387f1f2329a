"""The connection under a streaming answer: noticing that the client hung up, and hanging up on it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

_ALERT = 0x15
_APPLICATION_DATA = 0x17
# A TLS 1.3 record that holds an alert: two bytes, its type, and the tag of the cipher.
_ALERT_LENGTH = 19


class Connection:
    """What a stream needs to know of its connection. Without gunicorn's gevent worker under it (in tests)
    it never hears of a hang-up: then the next write does."""

    def __init__(self, environ: dict[str, Any]) -> None:
        wrapped = environ.get("gunicorn.socket")
        # Below TLS, below gevent: the bare socket, which may be asked while others use the connection.
        self._socket: Any = getattr(wrapped, "_sock", None)
        self._watcher: Any = None

    def on_hangup(self, call: Callable[[], None]) -> None:
        """Call once the client closes the connection, in a greenlet of its own. It sends nothing else while a watch is
        open."""
        if self._socket is None:
            return
        from gevent import get_hub, spawn

        watcher = self._watcher = get_hub().loop.io(self._socket.fileno(), 1)

        def readable() -> None:
            # Whatever it is, it stays unread, and one look is enough.
            watcher.stop()
            if closing(self._peek()):
                spawn(call)

        watcher.start(readable)

    def abort(self) -> None:
        """Hang up, without waiting for what the client has not read."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Stop watching the connection; it belongs to the server again."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def _peek(self) -> bytes:
        try:
            return bytes(self._socket.recv(5, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return b"?"
        except OSError:
            return b""


def closing(head: bytes) -> bool:
    """Whether the bytes waiting on a TLS connection mean its end: none at all, or an alert."""
    if not head:
        return True
    if head[0] == _ALERT:
        return True
    return head[0] == _APPLICATION_DATA and int.from_bytes(head[3:5], "big") == _ALERT_LENGTH
