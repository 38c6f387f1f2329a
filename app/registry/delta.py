"""What a node's agent is told in an exchange: what changed for it since the revision it knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from app.base.errors import LogTrimmed
from app.objects.change import Object, Operation, Trace
from app.objects.references import references
from app.registry.causes import Causes
from app.registry.report import MOUNTABLE, Report
from app.store.records import LoggedChange, Record
from app.store.view import View

SERVICES = "services"
SLICES = "endpointslices.discovery.k8s.io"
Value = Callable[[Record], Any]


@dataclass(slots=True)
class _Touched:
    """Keys that changed since a revision, in the order in which they did."""

    pods: dict[str, None] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)
    slices: dict[str, None] = field(default_factory=dict)
    objects: set[tuple[str, str]] = field(default_factory=set)


def delta(view: View, node: str, actor: str, report: Report, value: Value, causes: Causes) -> Object:
    """The part of the answer that is the cluster's state. Hold `view.lock`.

    It holds the node's pods, all services and endpoint slices, and the ConfigMaps and Secrets its pods
    draw on: those that changed since the revision the agent knows, or all if that can't be told. With a
    pod come the objects it draws on, which may be new to the agent. The agent's own words about its pods,
    written as `actor`, are not told back to it.

    Args:
        value: how a record is handed out.
        causes: is told which changes the agent hears of, by the uid of the pod.
    """
    touched = _touched(view, node, actor, report, causes)
    full = touched is None
    if touched is None:
        pods = [record for record in view.records("pods") if record.node == node]
        services, slices = view.records(SERVICES), view.records(SLICES)
        touched = _Touched()
    else:
        pods = _records(view, "pods", touched.pods)
        services, slices = _records(view, SERVICES, touched.services), _records(view, SLICES, touched.slices)
    wanted = {pair for pair in report.mount if full or pair in touched.objects}
    for pod in pods:
        wanted |= references(pod.obj)
    objects: Object = {}
    for resource, key in sorted(wanted):
        found = view.record(resource, key)
        objects[f"{resource} {key}"] = value(found) if found else None
    return {
        "epoch": view.epoch,
        "revision": view.revision,
        "full": full,
        "pods": [value(record) for record in pods],
        "gone": list(touched.gone),
        "services": [value(record) for record in services],
        "servicesGone": [key for key in touched.services if view.record(SERVICES, key) is None],
        "endpointslices": [value(record) for record in slices],
        "endpointslicesGone": [key for key in touched.slices if view.record(SLICES, key) is None],
        "objects": objects,
    }


def _touched(view: View, node: str, actor: str, report: Report, causes: Causes) -> _Touched | None:
    """What changed, or None if only everything will do."""
    if not report.since or report.epoch != view.epoch or report.since > view.revision:
        return None
    try:
        changes = cast("list[LoggedChange]", view.changes_since(report.since))
    except LogTrimmed:
        return None
    found = _Touched()
    for change in changes:
        resource = change.resource
        if resource == "pods":
            if change.after.node != node:
                continue
            if change.operation is Operation.DELETED:
                found.gone[change.new["metadata"]["uid"]] = None
                found.pods.pop(change.key, None)
            elif change.actor != actor:
                found.pods[change.key] = None
                causes.remember(change.new["metadata"]["uid"], Trace(change.trace.id, change.revision))
        elif resource == SERVICES:
            found.services[change.key] = None
        elif resource == SLICES:
            found.slices[change.key] = None
        elif resource in MOUNTABLE:
            found.objects.add((resource, change.key))
    return found


def _records(view: View, resource: str, keys: dict[str, None]) -> list[Record]:
    return [record for key in keys if (record := view.record(resource, key)) is not None]
