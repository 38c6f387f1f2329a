"""One of the TCP connections of a session with ports."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import socket
import sys
import termios
import threading
from collections import deque
from collections.abc import Callable

from app.base.errors import BeanpoleError
from app.base.frames import Part, encode
from workers.agent.sessions.line import HungUp, Line

log = logging.getLogger("beanpole.agent")

# Reaches a port of the pod: raises OSError, or what the runtime raises.
Dial = Callable[[int], socket.socket]

# So many bytes may wait for the pod to take them.
AHEAD = 1 << 20
READ = 64 * 1024
# One wait; in between it is seen whether anybody still is there. Seconds.
WAIT = 1.0
# So many waits for a pod that takes nothing, while other connections of the session wait for them.
PATIENCE = 3


class Connection:
    """A thread writes to it, and one reads from it.

    Args:
        number: its name in frames. over: called once it has ended. alone: whether the session has no other.
    """

    def __init__(
        self,
        line: Line,
        number: int,
        port: int,
        dial: Dial,
        over: Callable[[], object],
        alone: Callable[[], bool],
    ) -> None:
        self._line, self._number, self._port, self._dial = line, number, port, dial
        self._over, self._alone = over, alone
        self._changed = threading.Condition(threading.Lock())
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._ended = self._closed = False
        self._socket: socket.socket | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="port-forward", daemon=True).start()

    def put(self, data: bytes) -> None:
        """Hand on what came for it.

        It waits while the pod is behind, and the user's other connections with it, for their frames come behind these
        (clients have no flow control: docs/decisions/0025-sessions.md). So one that takes nothing for too long while
        there are others is cut off.

        Raises:
            HungUp: the user left meanwhile.
        """
        waits, unread = 0, self._unread()
        with self._changed:
            while self._size >= AHEAD and not self._closed and waits < PATIENCE:
                taken = self._changed.wait(WAIT)
                if not taken and self._line.gone():
                    raise HungUp("the user left")
                # The kernel lets the writer go on once there is much room only, which may be long after the pod read.
                before, unread = unread, self._unread()
                waits = 0 if taken or unread != before or self._alone() else waits + 1
            if self._size < AHEAD and not self._closed:
                # In pieces: what the pod takes is noticed piece by piece.
                self._waiting.extend(data[at : at + READ] for at in range(0, len(data), READ))
                self._size += len(data)
                self._changed.notify_all()
                return
        if waits >= PATIENCE:
            log.info("a connection to port %d is cut off: the pod does not read from it", self._port)
            self.close()

    def end(self) -> None:
        """The user has said everything."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Cut it off."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _unread(self) -> int:
        """Bytes written that the pod has yet to take, as the kernel has them."""
        with contextlib.suppress(OSError, ValueError):
            if self._socket is not None:
                return int.from_bytes(fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return 0

    def _run(self) -> None:
        why = ""
        try:
            self._socket = self._dial(self._port)
            self._socket.settimeout(None)
            if self._closed:
                return
            writer = threading.Thread(
                target=self._write, args=(self._socket,), name="port-input", daemon=True
            )
            writer.start()
            try:
                self._read(self._socket)
            finally:
                # Until the user has ended too, or was cut off: half-closed connections are in use.
                writer.join()
        except HungUp:
            return
        except (OSError, BeanpoleError) as exc:
            text = (exc.strerror if isinstance(exc, OSError) else "") or str(exc)
            why = f"error forwarding port {self._port}: failed to connect inside the pod: {text.lower()}"
        finally:
            self.close()
            if self._socket is not None:
                self._socket.close()
            self._over()
            with contextlib.suppress(HungUp):
                self._line.send(encode(Part.CLOSED, why.encode(), self._number))

    def _read(self, sock: socket.socket) -> None:
        """From the pod to the user, until it ends its side."""
        try:
            while data := sock.recv(READ):
                self._line.send(encode(Part.DATA, data, self._number))
            self._line.send(encode(Part.END, b"", self._number))
        except OSError:
            # Reset by the pod: neither side has more to say.
            self.close()
        except HungUp:
            self.close()
            raise

    def _write(self, sock: socket.socket) -> None:
        """From the user to the pod, until the user ends it."""
        while data := self._next():
            # One that reads no more may still have something to say.
            with contextlib.suppress(OSError):
                sock.sendall(data)
        if data is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)

    def _next(self) -> bytes | None:
        """What is to be written next, empty once that was all; None: it was cut off."""
        with self._changed:
            while not (self._waiting or self._ended or self._closed):
                self._changed.wait()
            if self._closed:
                return None
            if not self._waiting:
                return b""
            data = self._waiting.popleft()
            self._size -= len(data)
            self._changed.notify_all()
            return data
