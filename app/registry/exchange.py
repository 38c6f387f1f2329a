"""Exchange: everything that nodes' agents have to say and to be told, in one request.

Up come the Node, its pods' statuses and what happened, of each node that an agent speaks for; all of it is
committed as one batch. Down goes what changed for these nodes. Doing the same exchange twice does no harm. What
is wrong with one node's report is told to that node; the others are heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.objects import conditions
from app.objects.change import Object
from app.registry import report as reports
from app.registry.delta import Delta, Value
from app.registry.exchange_writes import commit
from app.registry.node_report import actor_of
from app.registry.report import Known, Report
from app.registry.statuses import failure
from app.store.records import Record

if TYPE_CHECKING:
    from app.registry.registry import Registry


def exchange(registry: Registry, raw: Any) -> Object:
    """The answer to an agent that has said `raw`. Objects in it are shared: not to be changed.

    Raises:
        BadRequest: it is no exchange at all.
    """
    return _exchange(registry, raw, lambda record: record.obj)


def exchange_json(registry: Registry, raw: Any) -> bytes:
    """`exchange` in wire form, spliced from the objects' own JSON."""
    return orjson.dumps(_exchange(registry, raw, _fragment))


def _fragment(record: Record) -> Any:
    return orjson.Fragment(record.body)


def _exchange(registry: Registry, raw: Any, value: Value) -> Object:
    said = reports.read(raw)
    view = registry.view
    # What changes from here on is worth another nudge; so this comes before catching up.
    applied, streams = registry.agents.arrive({name: r.rules for name, r in said.reports.items()})
    view.catch_up()
    refused = {**said.refused, **commit(registry, said.reports)}
    heard = {name: report for name, report in said.reports.items() if name not in refused}
    registry.usage.keep({name: used for name, r in heard.items() if (used := _measured(registry, r))})
    nodes: Object = {name: {"error": failure(error)} for name, error in refused.items()}
    with view.lock:
        delta = Delta(
            view,
            [said.network, *(report.known for report in heard.values())],
            value,
            registry.causes,
            registry.access.nodes.drawn,
        )
        for name, report in heard.items():
            nodes[name] = {
                **delta.of_node(name, actor_of(name), report),
                **_standing(view.record("nodes", name), report.known),
                "streams": streams.get(name, []),
            }
        return {
            "epoch": view.epoch,
            "revision": view.revision,
            "applied": _applied_everywhere(registry, applied),
            "interval": registry.settings.exchange,
            "network": delta.of_network(said.network),
            "nodes": nodes,
        }


def _measured(registry: Registry, report: Report) -> Object | None:
    """What a node uses, at a time by our clock."""
    if report.usage is None:
        return None
    return {**report.usage, "at": registry.clock.now() - report.usage["age"]}


def _standing(record: Record | None, known: Known) -> Object:
    """Where its pods get their addresses, whether its agent is to introduce it (again), and, if that changed, what others
    made of it that matters for who may run there."""
    if record is None:
        return {"podCIDR": "", "sendNode": True}
    node = record.obj
    ready = conditions.get(node, "Ready")
    given_up = ready is None or ready.get("status") == "Unknown"
    spec, metadata = node.get("spec") or {}, node["metadata"]
    standing = {"podCIDR": spec.get("podCIDR", ""), "sendNode": given_up}
    if record.revision > known.since:
        standing["node"] = {
            "uid": metadata["uid"],
            "labels": metadata.get("labels") or {},
            "taints": spec.get("taints") or [],
            "allocatable": (node.get("status") or {}).get("allocatable") or {},
        }
    return standing


def _applied_everywhere(registry: Registry, applied: dict[str, int]) -> int:
    """The revision of the service rules that every node that is there has in force."""
    view = registry.view
    there = registry.presence.nodes(view, registry.clock.now() - registry.settings.node_grace)
    return min((applied.get(name, 0) for name in there), default=view.revision)
