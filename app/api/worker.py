"""The gunicorn worker: gevent's, made for many small answers, long watches and a quick end."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from functools import partial
from typing import Any

from gevent import GreenletExit, Timeout, getcurrent
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from app.api.sessions.upgrade import Upgrade

log = logging.getLogger("beanpole.api")


# How long a client may take to shake hands, and then to send the head of its first request. Seconds.
SLOW = 30.0


class Response(wsgi.Response):  # type: ignore[misc]
    """Sends headers and the first piece of the body together: one system call, one TLS record, and the client
    wakes up once."""

    headers_sent: bool
    _head = b""

    def send_headers(self) -> None:
        """Make the headers ready; they leave with what follows."""
        if self.headers_sent:
            return
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
        self._head = util.to_bytestring("".join(lines), "latin-1")
        self.headers_sent = True

    def write(self, piece: bytes) -> None:
        """Send a piece of the body; an empty one sends the headers."""
        super().write(piece)
        if not piece:
            self._flush(b"")

    def _emit_body(self, data: bytes) -> None:
        self._flush(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def close(self) -> None:
        """The body is complete."""
        self.send_headers()
        self._flush(b"0\r\n\r\n" if self.chunked else b"")

    def _flush(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head or data:
            self.sock.sendall(head + data)


class Worker(GeventWorker):  # type: ignore[misc]
    """Serves connections in greenlets. On SIGTERM it finishes requests, ends watches, and closes connections
    that only wait for a next request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[Any] = set()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection, request after request."""
        with contextlib.suppress(OSError):
            # A connection over a unix socket has no such option.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not _shaken(client):
            return
        self._idle.add(client)
        try:
            super().handle(listener, client, addr)
        finally:
            self._idle.discard(client)

    def server_class(self, listener: Any, *, spawn: Any, ssl_context: Any = None, **_: Any) -> StreamServer:
        """What accepts connections: as gunicorn would have it, but leaving the TLS handshake to `handle`."""
        tls = {"ssl_context": ssl_context, "do_handshake_on_connect": False} if ssl_context else {}
        return StreamServer(listener, handle=partial(self.handle, listener), spawn=spawn, **tls)

    def timeout_ctx(self) -> Timeout:
        """How long the head of the next request may take to come: on a new connection, whoever made it has
        something to ask; later it may have nothing for a while."""
        greenlet = getcurrent()
        first = not getattr(greenlet, "asked", False)
        greenlet.asked = True
        return Timeout(SLOW if first else self.cfg.keepalive, False)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        """Serve one request. Raises StopIteration if the connection can't serve another, as gunicorn wants it."""
        self._idle.discard(sock)
        response = None
        try:
            response, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, response_class=Response)
            if not self.alive:
                response.force_close()
            pieces = self.wsgi(environ, response.start_response)
            if isinstance(pieces, Upgrade):
                pieces.take_over(sock, req.unreader.take_buffered())
                raise StopIteration
            try:
                for piece in pieces:
                    response.write(piece)
                response.close()
            finally:
                close = getattr(pieces, "close", None)
                if close is not None:
                    close()
        except (OSError, GreenletExit, SystemExit):
            raise
        except Exception:
            if response is None or not response.headers_sent:
                raise
            # Half an answer is out: a second one behind it would only confuse. Hang up instead.
            log.exception("an answer broke off")
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            raise StopIteration from None
        finally:
            self._idle.add(sock)
        if response.should_close() or not self.alive:
            raise StopIteration
        return True

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """SIGTERM."""
        super().handle_exit(sig, frame)
        stop = getattr(self.wsgi, "stop", None)
        if stop is not None:
            stop()
        for client in list(self._idle):
            with contextlib.suppress(AttributeError, OSError):
                # Its greenlet reads the end of the stream and leaves.
                client._sock.shutdown(socket.SHUT_RD)


def _shaken(client: Any) -> bool:
    """Shake hands, if it is TLS. Whether the client took part, and soon enough."""
    if not isinstance(client, ssl.SSLSocket):
        return True
    with contextlib.suppress(OSError), Timeout(SLOW, False):
        client.do_handshake()
        return True
    return False
