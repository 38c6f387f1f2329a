"""The cluster's DNS server on one node, at the address at which its pods reach the machine.

Answers for the cluster's domain from memory; every other question goes to the machine's own resolvers,
over the protocol it came by.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import struct
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dnslib import QTYPE, RCODE, DNSError, DNSRecord

from app.base.errors import BeanpoleError
from app.base.ids import Ids, RandomIds
from workers.network.answer import answer, chased
from workers.network.dns_tcp import TcpServer, framed, read_message
from workers.network.names import Names

log = logging.getLogger(__name__)

PORT = 53
UPSTREAM_SECONDS = 2.0
FORWARDERS = 16


class NameServerError(BeanpoleError):
    """The address can't be served. The message says why and what to do."""


class NameServer:
    """Serves until `close`. `names` may be replaced at any time.

    Args:
        address: where to listen, UDP and TCP. upstreams: addresses of resolvers for all other names;
            each is asked in turn until one answers.

    Raises:
        NameServerError: the address is taken, not this machine's, or needs more rights.
    """

    def __init__(
        self,
        address: str,
        names: Names,
        upstreams: Sequence[str],
        *,
        port: int = PORT,
        ids: Ids | None = None,
    ) -> None:
        self.names = names
        self._upstreams = [_host_port(u) for u in upstreams]
        self._ids = ids or RandomIds()
        self._slots = threading.BoundedSemaphore(FORWARDERS * 8)
        try:
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._udp.bind((address, port))
            self._tcp = TcpServer((address, self._udp.getsockname()[1]), self._reply_tcp)
        except OSError as exc:
            self._udp.close()
            raise NameServerError(
                f"can't serve DNS at {address}:{port}, so names of services won't resolve in pods: {exc.strerror}"
            ) from exc
        self.address: tuple[str, int] = self._udp.getsockname()
        self._pool = ThreadPoolExecutor(FORWARDERS, thread_name_prefix="dns-forward")
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve_udp, name="dns-udp", daemon=True),
            threading.Thread(target=self._tcp.serve_forever, args=(0.2,), name="dns-tcp", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._udp.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in recvfrom
        self._threads[0].join(timeout=2)
        self._udp.close()
        self._tcp.shutdown()
        self._tcp.server_close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _serve_udp(self) -> None:
        while not self._closed:
            try:
                data, client = self._udp.recvfrom(4096)
            except OSError:
                continue
            if not data:
                continue
            request = _parsed(data)
            if request is None:
                continue
            here = self._local(request)
            if isinstance(here, DNSRecord):
                packed = here.pack()
                self._send(packed if len(packed) <= _udp_size(request) else _cut(here), client)
            elif self._slots.acquire(blocking=False):
                self._pool.submit(self._forward_udp, request, data, here, client)

    def _forward_udp(self, request: DNSRecord, data: bytes, target: str | None, client: Any) -> None:
        try:
            self._send(self._forwarded(request, data, target, tcp=False), client)
        finally:
            self._slots.release()

    def _send(self, data: bytes, client: Any) -> None:
        with contextlib.suppress(OSError):
            self._udp.sendto(data, client)

    def _reply_tcp(self, data: bytes) -> bytes | None:
        """The reply to one message that came by TCP; None if it is no question."""
        request = _parsed(data)
        if request is None:
            return None
        here = self._local(request)
        return here.pack() if isinstance(here, DNSRecord) else self._forwarded(request, data, here, tcp=True)

    def _local(self, request: DNSRecord) -> DNSRecord | str | None:
        try:
            return answer(request, self.names, self._shuffle)
        except (DNSError, ValueError):
            reply = request.reply()
            reply.header.rcode = RCODE.FORMERR
            return reply

    def _shuffle(self, addresses: list[str]) -> list[str]:
        first = int(self._ids.fraction() * len(addresses))
        return [*addresses[first:], *addresses[:first]]

    def _forwarded(self, request: DNSRecord, data: bytes, target: str | None, *, tcp: bool) -> bytes:
        asked = data
        if target is not None:
            question = DNSRecord.question(target, qtype=_type_name(request))
            question.header.id = request.header.id
            asked = question.pack()
        for upstream in self._upstreams:
            try:
                said = _ask_tcp(upstream, asked) if tcp else _ask_udp(upstream, asked)
                return said if target is None else chased(request, target, DNSRecord.parse(said)).pack()
            except (OSError, DNSError):
                continue
        reply = request.reply()
        reply.header.rcode = RCODE.SERVFAIL
        return bytes(reply.pack())


def machine_resolvers(path: Path = Path("/etc/resolv.conf")) -> list[str]:
    """The IPv4 resolvers that the machine itself uses."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return []
    found = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    return [f for f in found if _is_ipv4(f)]


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _host_port(upstream: str) -> tuple[str, int]:
    host, _, port = upstream.partition(":")
    return host, int(port or PORT)


def _parsed(data: bytes) -> DNSRecord | None:
    try:
        request = DNSRecord.parse(data)
    except (DNSError, ValueError, IndexError, struct.error):
        return None
    return request if request.questions and request.header.qr == 0 else None


def _type_name(request: DNSRecord) -> str:
    return str(QTYPE.get(request.q.qtype, "A"))


def _udp_size(request: DNSRecord) -> int:
    """What the client can take in one datagram (EDNS0), 512 if it did not say."""
    sizes = [int(rr.rclass) for rr in request.ar if rr.rtype == QTYPE.OPT]
    return max(512, min(sizes[0], 4096)) if sizes else 512


def _cut(reply: DNSRecord) -> bytes:
    """Too long for a datagram: the client asks again over TCP."""
    return bytes(reply.truncate().pack())


def _ask_udp(upstream: tuple[str, int], data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(UPSTREAM_SECONDS)
        sock.connect(upstream)
        sock.send(data)
        while True:
            said = sock.recv(65535)
            if said[:2] == data[:2]:
                return said


def _ask_tcp(upstream: tuple[str, int], data: bytes) -> bytes:
    with socket.create_connection(upstream, timeout=UPSTREAM_SECONDS) as sock:
        sock.sendall(framed(data))
        return read_message(sock)
