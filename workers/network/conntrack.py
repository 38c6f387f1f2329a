"""What the kernel remembers of an endpoint that is gone, and should not.

Datagrams have no connection that ends: a client's would go on to the endpoint for as long as it keeps sending. And
a TCP connection whose first packet the endpoint did not answer, because too many came at once, is tried again a
second later, at the same endpoint, which may be gone for good by then. Both kinds of entries are removed; TCP
connections that were answered stay.
"""

from __future__ import annotations

from workers.network.command import run
from workers.network.rules import Rules

ENTRIES = {"UDP": ["-p", "udp"], "TCP": ["-p", "tcp", "--state", "SYN_SENT"]}


def stale(old: Rules, new: Rules) -> list[list[str]]:
    """The `conntrack` calls that remove the entries of endpoints that were in `old` and are not in `new`.
    Pure."""
    kept = {(r.ip, r.protocol, r.port): set(r.endpoints) for r in new.rules}
    calls = []
    for rule in old.rules:
        which = ENTRIES.get(rule.protocol)
        if which is None:
            continue
        for gone in sorted(set(rule.endpoints) - kept.get((rule.ip, rule.protocol, rule.port), set())):
            where = ["--orig-dst", rule.ip] if rule.ip else []
            port = ["--orig-port-dst", str(rule.port)]
            calls.append(["conntrack", "-D", *which, *where, *port, "--dst-nat", gone.ip])
    return calls


def forget(old: Rules, new: Rules) -> str:
    """Remove them. Returns what could not be done, or nothing."""
    for call in stale(old, new):
        code, said = run(call)
        if code == 127:
            return f"clients may wait for an endpoint that is gone: {said} (package conntrack)"
    return ""
