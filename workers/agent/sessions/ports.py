"""Sessions of users with ports of a pod: any number of TCP connections over one line."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable

from app.base.errors import BeanpoleError
from app.base.frames import Frame, Part, encode
from workers.agent.sessions.line import HungUp, Line

# Reaches a port of the pod: raises OSError, or what the runtime raises.
Dial = Callable[[int], socket.socket]

# Connections that one session may have open, and pieces that may wait for one of them.
MOST = 256
AHEAD = 16
READ = 64 * 1024
# One wait; in between it is seen whether anybody still is there. Seconds.
WAIT = 1.0
_END = b""


def forward(line: Line, dial: Dial) -> None:
    """Serve connections until the user leaves."""
    line.send(encode(Part.BEGUN))
    open_ones: dict[int, _Connection] = {}
    try:
        for frame in line.frames(until=threading.Event(), patience=0.0):
            _take(line, dial, open_ones, frame)
    finally:
        for each in list(open_ones.values()):
            each.close()


def _take(line: Line, dial: Dial, open_ones: dict[int, _Connection], frame: Frame) -> None:
    """One frame from the API. Raises HungUp."""
    number = frame.connection
    if frame.part == Part.OPEN:
        if len(open_ones) >= MOST:
            line.send(encode(Part.CLOSED, f"too many connections: at most {MOST} at a time".encode(), number))
            return
        made = open_ones[number] = _Connection(
            line, number, int(frame.data), dial, lambda: open_ones.pop(number, None)
        )
        made.start()
        return
    known = open_ones.get(number)
    if known is None:
        # It ended a moment ago, and the other side has yet to hear of it.
        return
    if frame.part == Part.DATA and frame.data:
        known.put(frame.data)
    elif frame.part == Part.END:
        known.put(_END)
    elif frame.part == Part.CLOSED:
        known.close()


class _Connection:
    """One TCP connection: a thread writes to it, and one reads from it."""

    def __init__(self, line: Line, number: int, port: int, dial: Dial, over: Callable[[], object]) -> None:
        self._line, self._number, self._port, self._dial, self._over = line, number, port, dial, over
        self._waiting: queue.Queue[bytes] = queue.Queue(AHEAD)
        self._closed = threading.Event()
        self._socket: socket.socket | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="port-forward", daemon=True).start()

    def put(self, data: bytes) -> None:
        """Hand on what came for it. Raises HungUp: it did not take it, and the user left meanwhile."""
        while not self._closed.is_set():
            try:
                self._waiting.put(data, timeout=WAIT)
                return
            except queue.Full:
                if self._line.gone():
                    raise HungUp("the user left") from None

    def close(self) -> None:
        """Cut it off."""
        self._closed.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        why = ""
        try:
            self._socket = self._dial(self._port)
            self._socket.settimeout(None)
            if self._closed.is_set():
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
            self._closed.set()
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
            self._closed.set()
        except HungUp:
            self._closed.set()
            raise

    def _write(self, sock: socket.socket) -> None:
        """From the user to the pod, until the user ends it."""
        while not self._closed.is_set():
            try:
                data = self._waiting.get(timeout=WAIT)
            except queue.Empty:
                continue
            try:
                if data == _END:
                    sock.shutdown(socket.SHUT_WR)
                    return
                sock.sendall(data)
            except OSError:
                return
