"""A TCP connection into a pod, over a session, as whoever speaks a protocol on it wants it: send, receive, close."""

from __future__ import annotations

import contextlib
import ssl
import threading
from typing import Protocol

from app.api.sessions.sessions import IDLE, Session, Sessions
from app.api.sessions.wires import Cut
from app.base.errors import ServiceUnavailable
from app.base.frames import Frame, Part
from app.objects.change import Object


class Stream(Protocol):
    """Bytes both ways."""

    def send(self, data: bytes) -> None:
        """Raises Cut."""
        ...

    def receive(self) -> bytes:
        """What comes next; empty at the end. Raises ServiceUnavailable: it could not be connected to."""
        ...

    def end(self) -> None:
        """Nothing more is sent."""
        ...

    def close(self) -> None: ...


class Dialed:
    """One connection, of a session of its own."""

    def __init__(self, sessions: Sessions, pod: Object, port: int) -> None:
        """Raises what `Sessions.open` raises."""
        self._sessions = sessions
        self._session: Session = sessions.open("ports", pod)
        self._frames: list[Frame] = []
        self._ended = False
        self._heard = False
        try:
            self._session.send(Part.OPEN, str(port).encode())
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes) -> None:
        self._session.send(Part.DATA, data)

    def receive(self) -> bytes:
        while not self._ended:
            if not self._frames:
                self._frames = self._session.next(IDLE) or []
                if not self._frames:
                    break
            frame = self._frames.pop(0)
            if frame.part == Part.DATA and frame.data:
                self._heard = True
                return frame.data
            if frame.part == Part.CLOSED and frame.data and not self._heard:
                raise ServiceUnavailable(
                    f"error trying to reach service: {frame.data.decode('utf-8', 'replace')}"
                )
            self._ended = frame.part in (Part.END, Part.CLOSED)
        self._ended = True
        return b""

    def end(self) -> None:
        with contextlib.suppress(Cut):
            self._session.send(Part.END)

    def close(self) -> None:
        self._sessions.close(self._session)


class Secured:
    """TLS on a connection, whoever the other side is: a proxy can't know it (as in Kubernetes)."""

    def __init__(self, plain: Stream, host: str) -> None:
        """Shake hands. Raises ServiceUnavailable: the other side does not speak TLS."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._plain = plain
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        # Calls into OpenSSL, and the order in which what they make leaves.
        self._lock = threading.Lock()
        while True:
            try:
                self._tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                data = plain.receive()
                if not data:
                    raise ServiceUnavailable("error trying to reach service: EOF") from None
                self._in.write(data)
            except ssl.SSLError as exc:
                raise ServiceUnavailable(f"error trying to reach service: {exc.reason or exc}") from exc

    def send(self, data: bytes) -> None:
        with self._lock:
            self._tls.write(data)
            self._flush()

    def receive(self) -> bytes:
        while True:
            with self._lock:
                try:
                    return self._tls.read(65536)
                except ssl.SSLWantReadError:
                    self._flush()
                except ssl.SSLError:
                    return b""
            data = self._plain.receive()
            if not data:
                return b""
            with self._lock:
                self._in.write(data)

    def end(self) -> None:
        self._plain.end()

    def close(self) -> None:
        self._plain.close()

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self._plain.send(data)
