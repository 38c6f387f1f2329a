"""Conversations over sockets, each written as if it were alone.

A talk is a generator: it does what it can without blocking, yields a socket and what it waits for, and goes on once
that has come. What it returns is its result. When its time is over, TimeoutError is raised where it waits.
`loop.Loop` carries many of them on one thread; `drive` carries one.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Generator
from functools import cache
from ipaddress import ip_address
from typing import TypeVar

from app.base.clock import Clock

# The same numbers for poll and epoll.
READ, WRITE = select.POLLIN, select.POLLOUT
PIECE = 16 * 1024

Wait = tuple[socket.socket, int]
T = TypeVar("T")
Talk = Generator[Wait, None, T]


def drive(talk: Talk[T], timeout: float, clock: Clock) -> T:
    """Carry one talk to its end in this thread. Raises whatever it raises."""
    deadline = clock.monotonic() + timeout
    try:
        sock, event = next(talk)
        while True:
            poll = select.poll()
            poll.register(sock.fileno(), event)
            left = deadline - clock.monotonic()
            in_time = left > 0 and bool(poll.poll(left * 1000))
            sock, event = next(talk) if in_time else talk.throw(TimeoutError())
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def is_numeric(host: str) -> bool:
    """Whether it is an address, which needs no looking up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def connect(sock: socket.socket, host: str, port: int) -> Talk[None]:
    """Connect a new TCP socket to an address. Raises OSError, as the kernel says it."""
    sock.setblocking(False)
    code = sock.connect_ex((host, port))
    while code in (errno.EINPROGRESS, errno.EALREADY):
        yield sock, WRITE
        # Waking up is only a hint: a connection that is still being made says so again.
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or sock.connect_ex((host, port))
    if code not in (0, errno.EISCONN):
        raise OSError(code, os.strerror(code))


def new_socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)


def begin_tls(sock: socket.socket, host: str, *protocols: str) -> Talk[ssl.SSLSocket]:
    """Speak TLS over a connected socket, with whatever certificate its other side has; `protocols` are offered by ALPN.
    Raises OSError."""
    name = None if is_numeric(host) else host
    wrapped = _trusting(protocols).wrap_socket(sock, do_handshake_on_connect=False, server_hostname=name)
    try:
        while True:
            try:
                wrapped.do_handshake()
                return wrapped
            except ssl.SSLWantReadError:
                yield wrapped, READ
            except ssl.SSLWantWriteError:
                yield wrapped, WRITE
    except BaseException:
        # The socket that was given is no more: this one took it over.
        wrapped.close()
        raise


def send(sock: socket.socket, data: bytes) -> Talk[None]:
    """Send all of it. Raises OSError."""
    while data:
        try:
            data = data[sock.send(data) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            yield sock, WRITE
        except ssl.SSLWantReadError:
            yield sock, READ


def receive(sock: socket.socket) -> Talk[bytes]:
    """Some of what comes; empty once nothing more does. Raises OSError."""
    if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
        # First of all others have their turn: to a server that never stops talking there would be no end.
        yield sock, READ
    while True:
        try:
            return sock.recv(PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            yield sock, READ
        except ssl.SSLWantWriteError:
            yield sock, WRITE
        except ssl.SSLEOFError:
            # Closed without the farewell that TLS asks for.
            return b""


@cache
def _trusting(protocols: tuple[str, ...]) -> ssl.SSLContext:
    # Not `create_default_context`, which reads all authorities of the machine for nothing.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context
