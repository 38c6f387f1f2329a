"""Exchange: everything a node's agent has to say and to be told, in one request.

Up come the Node, its pods' statuses and what happened; they are committed as one batch. Down goes what changed
for the node. Doing the same exchange twice does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import ServiceUnavailable
from app.bus.nudges import queue_of
from app.objects import conditions
from app.objects.change import Object, Trace, Write
from app.registry import report as reports
from app.registry.delta import Value, delta
from app.registry.event_report import event_writes
from app.registry.node_report import lease_missing, lease_writes, node_writes
from app.registry.pod_report import pod_writes
from app.registry.report import Report
from app.registry.request import Request
from app.store.records import Record
from app.store.store import Committed, Rejected

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How often the batch is decided anew after another write came between.
ATTEMPTS = 5


def exchange(registry: Registry, node: str, raw: Any) -> Object:
    """The answer to an agent that speaks for `node`. Objects in it are shared: not to be changed.

    Raises:
        BadRequest, Invalid: the report is malformed. ServiceUnavailable: others write to the same objects
            all the time.
    """
    return _exchange(registry, node, raw, lambda record: record.obj)


def exchange_json(registry: Registry, node: str, body: Any) -> bytes:
    """`exchange` in wire form, spliced from the objects' own JSON."""
    return orjson.dumps(_exchange(registry, node, body, _fragment))


def _fragment(record: Record) -> Any:
    return orjson.Fragment(record.body)


def _exchange(registry: Registry, name: str, raw: Any, value: Value) -> Object:
    report = reports.read(raw)
    view, agents = registry.view, registry.agents
    actor = f"system:node:{name}"
    request = Request(user=actor, field_validation="Ignore")
    known = view.get("nodes", name)
    # What changes from here on is worth another nudge; so this comes before catching up.
    applied, streams = agents.arrive(name, queue_of(known) if known else name, report.rules)
    view.catch_up()
    _commit(registry, request, name, report)
    with view.lock:
        node = view.get("nodes", name)
        answer = delta(view, name, actor, report, value, registry.causes)
        answer["applied"] = _applied_everywhere(registry, applied)
    ready = conditions.get(node, "Ready") if node else None
    answer["podCIDR"] = (node.get("spec") or {}).get("podCIDR", "") if node else ""
    answer["sendNode"] = node is None or ready is None or ready.get("status") == "Unknown"
    answer["streams"] = streams
    answer["interval"] = registry.settings.exchange
    return answer


def _commit(registry: Registry, request: Request, name: str, report: Report) -> None:
    """Commit what the report changes. What is rejected, because somebody else wrote meanwhile, is
    decided anew on the newer state; what went through makes no difference then."""
    taken: set[str] = set()
    for _ in range(ATTEMPTS):
        writes = _writes(registry, request, name, report, taken)
        if not writes:
            return
        results = _commit_traced(registry, request, writes)
        registry.view.catch_up()
        rejected = [result for result in results if isinstance(result, Rejected)]
        taken.update(result.claim for result in rejected if result.claim)
        # The Lease can't be made before its Node is there.
        if not rejected and not lease_missing(registry.view, name):
            return
    raise ServiceUnavailable(f"node {name!r} and its pods are written to all the time", retry_after=1)


def _commit_traced(registry: Registry, request: Request, writes: list[Write]) -> list[Committed | Rejected]:
    """Commit in one pipeline for each trace that the writes carry on."""
    own = Trace(registry.ids.trace())
    groups: dict[Trace, list[Write]] = {}
    for write in writes:
        groups.setdefault(registry.causes.of(_about(write)) or own, []).append(write)
    results: list[Committed | Rejected] = []
    for trace, group in groups.items():
        results += registry.store.commit(group, actor=request.user, trace=trace, now=registry.clock.now())
    return results


def _about(write: Write) -> str:
    """The uid of what a write is about: of an Event, that of whom it tells."""
    if write.resource == "events":
        return str(write.obj["involvedObject"].get("uid") or "")
    return str(write.obj["metadata"]["uid"])


def _writes(registry: Registry, request: Request, name: str, report: Report, taken: set[str]) -> list[Write]:
    view = registry.view
    with view.lock:
        return [
            *node_writes(registry, request, name, report.node, taken),
            *lease_writes(registry, name),
            *pod_writes(view, name, report.statuses, report.removed),
            *event_writes(view, name, report.events, registry.clock.now(), registry.ids),
        ]


def _applied_everywhere(registry: Registry, applied: dict[str, int]) -> int:
    """The revision of the service rules that every node that is there has in force."""
    view = registry.view
    there = registry.presence.nodes(view, registry.clock.now() - registry.settings.node_grace)
    return min((applied.get(name, 0) for name in there), default=view.revision)
