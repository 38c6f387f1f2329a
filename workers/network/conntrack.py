"""Datagrams have no connection that ends: the kernel would send a client's datagrams on to an endpoint
that is gone for as long as the client keeps sending. Those entries are removed here; TCP's stay.
"""

from __future__ import annotations

from workers.network.command import run
from workers.network.rules import Rules


def stale(old: Rules, new: Rules) -> list[list[str]]:
    """The `conntrack` calls that remove the entries of UDP endpoints that were in `old` and are not in
    `new`. Pure."""
    kept = {(r.ip, r.port): set(r.endpoints) for r in new.rules if r.protocol == "UDP"}
    calls = []
    for rule in old.rules:
        if rule.protocol != "UDP":
            continue
        for gone in sorted(set(rule.endpoints) - kept.get((rule.ip, rule.port), set())):
            where = ["--orig-dst", rule.ip] if rule.ip else []
            port = ["--orig-port-dst", str(rule.port)]
            calls.append(["conntrack", "-D", "-p", "udp", *where, *port, "--dst-nat", gone.ip])
    return calls


def forget(old: Rules, new: Rules) -> str:
    """Remove them. Returns what could not be done, or nothing."""
    for call in stale(old, new):
        code, said = run(call)
        if code == 127:
            return f"clients of UDP services may keep an endpoint that is gone: {said} (package conntrack)"
    return ""
