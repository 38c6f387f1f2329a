"""What agents are told in an exchange: what changed for their nodes since the revisions they know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from app.objects.change import Object, Operation, Trace
from app.objects.persistent import CLAIMS, VOLUMES, is_to_be_emptied
from app.objects.references import references
from app.registry.access.drawn import Drawn
from app.registry.causes import Causes
from app.registry.report import MOUNTABLE, Known, Report
from app.store.records import LoggedChange, Record
from app.store.view import View

SERVICES = "services"
SLICES = "endpointslices.discovery.k8s.io"
NODES = "nodes"
Value = Callable[[Record], Any]


class Delta:
    """The changes since the oldest revision that somebody in an exchange knows, sorted by whom they concern.

    The log is gone through once, however many nodes there are. Hold `view.lock` while this is used.

    Args:
        known: what is known where. value: how a record is handed out.
        causes: is told which changes agents hear of, by the uid of the pod.
        drawn: knows what the pods of a node draw on: an agent is told of nothing else.
    """

    def __init__(
        self, view: View, known: Iterable[Known], value: Value, causes: Causes, drawn: Drawn
    ) -> None:
        self._view, self._value, self._causes, self._drawn = view, value, causes, drawn
        self._pods: dict[str, list[LoggedChange]] = {}
        self._others: dict[str, list[LoggedChange]] = {
            resource: [] for resource in (SERVICES, SLICES, NODES, *MOUNTABLE)
        }
        oldest = min((k.since for k in known if self._continues(k)), default=view.revision)
        for change in cast("list[LoggedChange]", view.changes_since(oldest)):
            if change.resource == "pods":
                if change.after.node:
                    self._pods.setdefault(change.after.node, []).append(change)
            elif (others := self._others.get(change.resource)) is not None:
                others.append(change)

    def of_network(self, known: Known) -> Object:
        """All services and endpoint slices that changed, or all there are if that can't be told (`full`); and where
        pods are that are on other machines (`peers`: by node, its machine's address and its pods' range)."""
        full = not self._continues(known)
        answer: Object = {"full": full}
        for name, resource in (("services", SERVICES), ("endpointslices", SLICES)):
            keys = self._keys(resource, known.since)
            records = self._view.records(resource) if full else self._records(resource, keys)
            answer[name] = [self._value(record) for record in records]
            gone = [] if full else [key for key in keys if self._view.record(resource, key) is None]
            answer[f"{name}Gone"] = gone
        nodes = self._keys(NODES, known.since)
        told = self._view.records(NODES) if full else self._records(NODES, nodes)
        answer["peers"] = {record.key: _peer(record.obj) for record in told}
        answer["peersGone"] = [] if full else [n for n in nodes if self._view.record(NODES, n) is None]
        return answer

    def of_node(self, node: str, actor: str, report: Report) -> Object:
        """The node's pods, and what they draw on: those that changed, or all; and which volumes to empty.

        With a pod come the objects it draws on, which may be new to the agent. The agent's own words about its
        pods, written as `actor`, are not told back to it.
        """
        known, view = report.known, self._view
        full = not self._continues(known)
        gone: list[str] = []
        wanted = set(report.mount)
        if full:
            pods = [record for record in view.records("pods") if record.node == node]
        else:
            told, gone = self._told(node, actor, known.since)
            pods = self._records("pods", told)
            changed = (
                {resource: self._keys(resource, known.since) for resource in MOUNTABLE} if wanted else {}
            )
            wanted = {pair for pair in wanted if pair[1] in changed[pair[0]]}
        wanted = {pair for pair in wanted if self._drawn.on(node, *pair)}
        for record in pods:
            pod = record.obj
            wanted |= references(pod)
            if not full:
                self._causes.remember(pod["metadata"]["uid"], told[record.key])
        wanted |= {pair for resource, key in wanted if resource == CLAIMS for pair in self._volume(key)}
        objects: Object = {}
        for resource, key in sorted(wanted):
            found = view.record(resource, key)
            objects[f"{resource} {key}"] = self._value(found) if found else None
        return {
            "full": full,
            "pods": [self._value(record) for record in pods],
            "gone": gone,
            "objects": objects,
            "empty": [self._value(record) for record in self._to_empty(node, full, known.since)],
        }

    def _volume(self, claim: str) -> list[tuple[str, str]]:
        """The volume that a claim is bound to."""
        found = self._view.get(CLAIMS, claim)
        name = (found.get("spec") or {}).get("volumeName") if found is not None else None
        return [(VOLUMES, name)] if name else []

    def _to_empty(self, node: str, full: bool, since: int) -> list[Record]:
        """Volumes of which the node's agent is to remove the data."""
        records = self._view.records(VOLUMES) if full else self._records(VOLUMES, self._keys(VOLUMES, since))
        return [record for record in records if is_to_be_emptied(record.obj, node)]

    def _told(self, node: str, actor: str, since: int) -> tuple[dict[str, Trace], list[str]]:
        """Keys of the node's pods that others changed, with what led on from there, and uids of those gone."""
        told: dict[str, Trace] = {}
        gone: dict[str, None] = {}
        for change in self._pods.get(node, ()):
            if change.revision <= since:
                continue
            if change.operation is Operation.DELETED:
                gone[change.new["metadata"]["uid"]] = None
                told.pop(change.key, None)
            elif change.actor != actor:
                told[change.key] = Trace(change.trace.id, change.revision)
        return told, list(gone)

    def _continues(self, known: Known) -> bool:
        """Whether what changed since can be told."""
        view = self._view
        current = known.since > 0 and known.epoch == view.epoch
        return current and view.oldest <= known.since <= view.revision

    def _keys(self, resource: str, since: int) -> dict[str, None]:
        """Keys that changed, in the order in which they did."""
        return {change.key: None for change in self._others[resource] if change.revision > since}

    def _records(self, resource: str, keys: Iterable[str]) -> list[Record]:
        return [record for key in keys if (record := self._view.record(resource, key)) is not None]


def _peer(node: Object) -> list[str]:
    """The address of the node's machine, and the range of its pods' addresses; empty where it has none yet."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    internal = next((a["address"] for a in addresses if a.get("type") == "InternalIP"), "")
    return [internal, (node.get("spec") or {}).get("podCIDR", "")]
