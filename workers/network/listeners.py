"""Listening sockets of the user-space data plane, one for each rule that has endpoints.

All are SO_REUSEPORT: the agents of several nodes on one machine serve the same addresses, and the
kernel spreads connections over them.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from select import EPOLLIN

from workers.network.choice import order
from workers.network.loop import Loop
from workers.network.relay import Relay
from workers.network.rules import Endpoint, Rule

BACKLOG = 4096
ACCEPTS_PER_ROUND = 64
PAUSE_SECONDS = 0.05
HANDSHAKE_SECONDS = 0.005
FLOW_SECONDS = 30.0
FLOWS_MAX = 4096
_SO_ATTACH_FILTER = 26
_NO_NEW_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # of which SYN and ACK count
    (0x15, 0, 1, 0x02),  # only SYN?
    (0x06, 0, 0, 0),  # keep nothing
    (0x06, 0, 0, 0xFFFFFFFF),  # keep all
)

Fraction = Callable[[], float]


class TcpListener:
    """Accepts for one rule; `rule` may be replaced while it listens."""

    def __init__(self, loop: Loop, rule: Rule, fraction: Fraction, relays: set[Relay]) -> None:
        self.rule = rule
        self._loop = loop
        self._fraction = fraction
        self._relays = relays
        self._socket = _bound(rule, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it
        self._socket.listen(BACKLOG)
        loop.add(self._socket, EPOLLIN, self._acceptable)

    def _acceptable(self, events: int) -> None:
        self._accept(ACCEPTS_PER_ROUND)

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                client, peer = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                    self._pause()
                    return
                continue  # that client has gone already
            client.setblocking(False)
            endpoints = order(self.rule, peer[0], self._fraction)
            relay = Relay(self._loop, client, endpoints, self._relays.discard)
            if not relay.ended:
                self._relays.add(relay)

    def _pause(self) -> None:
        """Out of descriptors: the kernel keeps the connections queued until some are free again."""
        self._loop.remove(self._socket)
        self._loop.later(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add(self._socket, EPOLLIN, self._acceptable)

    def close(self) -> None:
        """Stop listening without dropping anybody: closing a listener resets what waits in its queue. So
        first new SYNs are discarded (those clients try again within a second, and meet another agent's
        listener or a refusal), then handshakes under way get a moment to end and are accepted."""
        _discard_syns(self._socket)
        self._accept(BACKLOG * 2)
        self._loop.later(HANDSHAKE_SECONDS, self._closed)

    def _closed(self) -> None:
        self._accept(BACKLOG * 2)
        self._loop.remove(self._socket)
        self._socket.close()


class _Flow:
    """One client's datagrams: a connected socket of its own, so that answers find back."""

    def __init__(self, endpoint: Endpoint, now: float) -> None:
        self.endpoint = endpoint
        self.used = now
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self.socket.connect((endpoint.ip, endpoint.port))
        except OSError:
            self.socket.close()
            raise


class UdpListener:
    """Relays datagrams for one rule. A client keeps its endpoint while it goes on talking and the
    endpoint stays in the rule."""

    def __init__(self, loop: Loop, rule: Rule, fraction: Fraction) -> None:
        self.rule = rule
        self._loop = loop
        self._fraction = fraction
        self._flows: OrderedDict[tuple[str, int], _Flow] = OrderedDict()
        self._socket = _bound(rule, socket.SOCK_DGRAM)
        self._open = True
        loop.add(self._socket, EPOLLIN, self._from_clients)
        loop.later(FLOW_SECONDS, self._sweep)

    def replace(self, rule: Rule) -> None:
        self.rule = rule
        for client in [c for c, flow in self._flows.items() if flow.endpoint not in rule.endpoints]:
            self._drop(client)

    def _from_clients(self, events: int) -> None:
        for _ in range(ACCEPTS_PER_ROUND):
            try:
                data, client = self._socket.recvfrom(65535)
            except OSError:
                return
            try:
                self._flow(client).socket.send(data)
            except OSError:
                # A refusal of an earlier datagram, or no endpoint can be reached: datagrams may be lost,
                # but the next one should find another way.
                self._drop(client)

    def _flow(self, client: tuple[str, int]) -> _Flow:
        flow = self._flows.get(client)
        if flow is None:
            if len(self._flows) >= FLOWS_MAX:
                self._drop(next(iter(self._flows)))
            flow = _Flow(order(self.rule, client[0], self._fraction)[-1], self._loop.monotonic())
            self._flows[client] = flow
            self._loop.add(flow.socket, EPOLLIN, partial(self._from_endpoint, client, flow))
        flow.used = self._loop.monotonic()
        self._flows.move_to_end(client)
        return flow

    def _from_endpoint(self, client: tuple[str, int], flow: _Flow, events: int) -> None:
        for _ in range(ACCEPTS_PER_ROUND):
            try:
                data = flow.socket.recv(65535)
            except BlockingIOError:
                return
            except OSError:
                self._drop(client)
                return
            flow.used = self._loop.monotonic()
            try:
                self._socket.sendto(data, client)
            except OSError:
                return

    def _sweep(self) -> None:
        if not self._open:
            return
        old = self._loop.monotonic() - FLOW_SECONDS
        for client in [c for c, flow in self._flows.items() if flow.used < old]:
            self._drop(client)
        self._loop.later(FLOW_SECONDS, self._sweep)

    def _drop(self, client: tuple[str, int]) -> None:
        flow = self._flows.pop(client, None)
        if flow is not None:
            self._loop.retire(flow.socket)

    def close(self) -> None:
        self._open = False
        for client in list(self._flows):
            self._drop(client)
        self._loop.remove(self._socket)
        self._socket.close()


def _bound(rule: Rule, kind: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not rule.exclusive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((rule.ip or "0.0.0.0", rule.port))
    except OSError:
        sock.close()
        raise
    return sock


def _discard_syns(sock: socket.socket) -> None:
    """Have the kernel drop whoever would begin a connection with `sock`, by a packet filter that sees
    the TCP header (classic BPF, Documentation/networking/filter.rst in the kernel's sources)."""
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _NO_NEW_SYN))
    size = len(_NO_NEW_SYN)
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", size, ctypes.addressof(program)))
