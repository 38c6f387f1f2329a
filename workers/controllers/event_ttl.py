"""Events are news, not history: they go an hour after they last happened (kube-apiserver --event-ttl)."""

from __future__ import annotations

from app.base.clock import parse_rfc3339
from app.objects.change import Object, ReadView, delete
from workers.reconcile.plan import Plan, Role

KEY = "all"
TTL = 3600.0
# Looked at this often, so that a burst of Events makes no work when it is made; and in pieces.
EVERY = 60.0
AT_ONCE = 1000


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Delete the Events that are too old."""
    old = [event for event in view.list("events") if now - _last(event) >= TTL]
    wait = 1.0 if len(old) > AT_ONCE else EVERY
    writes = tuple(delete("events", event) for event in old[:AT_ONCE])
    return Plan(writes, requeue_after=wait, reason=f"{len(old)} Events are over an hour old" if old else "")


def _last(event: Object) -> float:
    series = event.get("series") or {}
    times = (
        event["metadata"].get("creationTimestamp"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        series.get("lastObservedTime"),
    )
    return max((parse_rfc3339(time) for time in times if time), default=0.0)


ROLE = Role("event-ttl-controller", plan, (), lambda view: [KEY])
