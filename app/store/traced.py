"""Commits of many causes in one pipeline.

What agents report in one exchange was caused by as many changes as there are pods; one round trip (and one write
to the disk of Redis) is enough for all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.objects.change import Trace, Write
from app.store.body import halves
from app.store.store import Committed, Rejected, Store, reachable


@dataclass(frozen=True, slots=True)
class Caused:
    """A write, who makes it and what led to it."""

    write: Write
    actor: str
    trace: Trace


def commit_caused(store: Store, writes: Sequence[Caused], now: float) -> list[Committed | Rejected]:
    """`Store.commit`, where each write has an actor and a trace of its own. Not for binds.

    Raises:
        StoreUnavailable: see `Store.commit`.
    """
    if not writes:
        return []
    made = [(caused, *halves(caused.write.obj)) for caused in writes]
    calls = [store._arguments(c.write, head, tail, c.actor, c.trace, now, "", None) for c, head, tail in made]
    with reachable():
        replies = store._run(calls)
    results: list[Committed | Rejected] = []
    for (_, head, tail), reply in zip(made, replies, strict=True):
        if reply[0]:
            revision = int(reply[1])
            results.append(Committed(revision, head + str(revision).encode() + tail))
        else:
            results.append(Rejected(reply[1].decode(), int(reply[2]), reply[3].decode()))
    return results
