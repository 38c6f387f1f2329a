"""What a report tells users: Events, as agents count them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from app.base.clock import rfc3339
from app.base.ids import Ids
from app.objects import change, meta
from app.objects.change import Object, ReadView, Write

COMPONENT = "kubelet"
# Longer messages are cut, as the API server does (validation of Event).
LONGEST_MESSAGE = 1024


def event_writes(view: ReadView, node: str, events: Iterable[Object], now: float, ids: Ids) -> list[Write]:
    """The writes for events that the node's agent counted: `count` is how often since `first`. Reporting
    the same twice changes nothing."""
    writes: dict[str, Write] = {}
    for told in events:
        event = event_of(node, told, now)
        key = change.key_of(event)
        old = view.get("events", key)
        if old is None:
            writes[key] = change.create("events", meta.complete(event, now, ids))
            continue
        new = {**old, "count": event["count"], "lastTimestamp": event["lastTimestamp"]}
        if new != old and event["count"] >= (old.get("count") or 0):
            writes[key] = change.update("events", new)
    return list(writes.values())


def event_of(node: str, told: Object, now: float) -> Object:
    """The v1 Event for something an agent tells. Its name follows from what it says and since when, so
    that whoever tells it again tells of the same Event."""
    about = {field: value for field, value in told["regarding"].items() if isinstance(value, str)}
    name = about.get("name") or node
    first, last = _seconds(told.get("first"), now), _seconds(told.get("last"), now)
    message = told["message"][:LONGEST_MESSAGE]
    source = {"component": COMPONENT, "host": node}
    likeness = "\0".join(
        (
            about.get("uid", ""), about.get("fieldPath", ""), told["type"], told["reason"], message, node,
            str(first),
        )
    )  # fmt: skip
    digest = hashlib.blake2b(likeness.encode(), digest_size=8).hexdigest()
    count = told.get("count")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{digest}", "namespace": about.get("namespace") or "default"},
        "involvedObject": about,
        "reason": told["reason"],
        "message": message,
        "source": source,
        "firstTimestamp": rfc3339(first),
        "lastTimestamp": rfc3339(last),
        "count": count if type(count) is int and count > 0 else 1,
        "type": told["type"] if told["type"] in ("Normal", "Warning") else "Normal",
        "eventTime": None,
        "reportingComponent": COMPONENT,
        "reportingInstance": node,
    }


def _seconds(value: object, now: float) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e11 else now
