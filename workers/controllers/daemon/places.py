"""What there is of a DaemonSet on each node: which pods, and whether there should be any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.base.clock import parse_rfc3339
from app.objects import pods
from app.objects.change import Object, ReadView
from app.objects.meta import is_deleting, labels
from workers.controllers.daemon.nodes import NOWHERE, fitting, node_of, tolerating
from workers.controllers.daemon.steps import Daemon, Place
from workers.controllers.revisions import POD_LABEL

# How long after it was made a pod that failed is replaced. Seconds.
REST = 5.0


def places_of(
    view: ReadView, daemon_set: Object, members: Sequence[Object], revision_hash: str, now: float
) -> tuple[list[Place], list[str]]:
    """What is on each node; and the names of pods made for nodes that are gone before they were bound."""
    spec = tolerating(daemon_set["spec"]["template"].get("spec") or {})
    wait = daemon_set["spec"].get("minReadySeconds") or 0
    by_node: dict[str, list[Daemon]] = defaultdict(list)
    strays: list[str] = []
    for pod in sorted(members, key=lambda p: (p["metadata"]["creationTimestamp"], p["metadata"]["name"])):
        node = node_of(pod)
        if view.get("nodes", node) is None:
            if not pod["spec"].get("nodeName"):
                strays.append(pod["metadata"]["name"])
            continue
        by_node[node].append(
            Daemon(
                pod["metadata"]["name"],
                new=labels(pod).get(POD_LABEL) == revision_hash,
                available=pods.is_available(pod, wait, now),
                terminating=is_deleting(pod),
                finished=pods.is_terminal(pod),
                resting=(_rests_until(pod) or 0.0) > now,
            )
        )
    places = []
    for each in view.list("nodes"):
        name = each["metadata"]["name"]
        fit = fitting(spec, each)
        if fit != NOWHERE or name in by_node:
            places.append(Place(name, fit, tuple(by_node.get(name, ()))))
    return places, strays


def _rests_until(pod: Object) -> float | None:
    if not pods.is_terminal(pod) or is_deleting(pod):
        return None
    return parse_rfc3339(pod["metadata"]["creationTimestamp"]) + REST


def rested(members: Sequence[Object], now: float) -> float | None:
    """The seconds until the next finished pod may be replaced."""
    moments = [_rests_until(pod) for pod in members]
    return min((at - now for at in moments if at is not None and at > now), default=None)
