"""One DNS question, answered from the cluster's names. No input or output.

NXDOMAIN and "no such records" (NODATA) are told apart with care: a resolver goes on down its search
list only for the right one of them.
"""

from __future__ import annotations

from collections.abc import Callable

from dnslib import CLASS, PTR, QTYPE, RCODE, RR, SOA, SRV, A, DNSRecord
from dnslib.dns import CNAME

from workers.network.names import Names, pod_address

TTL_SECONDS = 5

Shuffle = Callable[[list[str]], list[str]]


def answer(request: DNSRecord, names: Names, shuffle: Shuffle) -> DNSRecord | str | None:
    """The reply; or a name outside the cluster that must be asked for instead (ExternalName); or None
    if the question is for somebody else to answer. `shuffle` spreads clients that take the first
    address over all of them."""
    name = str(request.q.qname).lower().rstrip(".")
    kind = QTYPE.get(request.q.qtype, "")
    if name.endswith(".in-addr.arpa"):
        return _reverse(request, name, names)
    if not names.owns(name):
        return None
    if name in names.cname and kind in ("A", "AAAA", "CNAME", "ANY"):
        target = names.cname[name]
        if kind == "CNAME" or names.owns(target):
            return _reply(request, names, [RR(name, QTYPE.CNAME, ttl=TTL_SECONDS, rdata=CNAME(target))])
        return target
    address = pod_address(name, names.domain)
    found: list[RR] = []
    extra: list[RR] = []
    if kind in ("A", "ANY"):
        ips = [address] if address else shuffle(names.a.get(name, []))
        found += [RR(name, QTYPE.A, ttl=TTL_SECONDS, rdata=A(ip)) for ip in ips]
    if kind in ("SRV", "ANY"):
        for port, target in names.srv.get(name, ()):
            found.append(RR(name, QTYPE.SRV, ttl=TTL_SECONDS, rdata=SRV(0, 100, port, target)))
            extra += [RR(target, QTYPE.A, ttl=TTL_SECONDS, rdata=A(ip)) for ip in names.a.get(target, ())]
    reply = _reply(request, names, found)
    reply.add_ar(*extra)
    if not found and address is None and name not in names.known:
        reply.header.rcode = RCODE.NXDOMAIN
    return reply


def _reverse(request: DNSRecord, name: str, names: Names) -> DNSRecord | None:
    ip = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    target = names.ptr.get(ip)
    if target is None:
        return None
    return _reply(request, names, [RR(name, QTYPE.PTR, ttl=TTL_SECONDS, rdata=PTR(target))])


def _reply(request: DNSRecord, names: Names, found: list[RR]) -> DNSRecord:
    reply = request.reply(ra=1, aa=1)
    reply.add_answer(*found)
    if not found:
        times = (1, 7200, 1800, 86400, TTL_SECONDS)
        soa = SOA(f"ns.dns.{names.domain}", f"hostmaster.{names.domain}", times)
        reply.add_auth(RR(names.domain, QTYPE.SOA, CLASS.IN, TTL_SECONDS, soa))
    return reply


def chased(request: DNSRecord, target: str, upstream: DNSRecord) -> DNSRecord:
    """The reply for an ExternalName: the alias, and what an upstream resolver said of its target."""
    reply = request.reply(ra=1, aa=0)
    reply.add_answer(RR(request.q.qname, QTYPE.CNAME, ttl=TTL_SECONDS, rdata=CNAME(target)))
    reply.add_answer(*upstream.rr)
    reply.header.rcode = upstream.header.rcode
    return reply
