"""Which pods go when a ReplicaSet has too many (k8s.io/kubernetes/pkg/controller,
`ActivePodsWithRanks`): those whose loss is felt least come first."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache

from app.base.clock import parse_rfc3339
from app.objects import conditions, pods
from app.objects.change import Object, ReadView
from app.objects.meta import annotations_of, controller_of

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def choose(view: ReadView, rs: Object, active: list[Object], count: int, now: float) -> list[Object]:
    """The `count` pods of `active` to delete.

    In this order: bound to no node; Pending before Running; not ready; of lower deletion cost; on a
    node with more pods of the same owner; ready for a shorter time, by orders of magnitude; with more
    restarts; newer.
    """
    if count >= len(active):
        return active
    crowd = _crowd(view, rs, active)

    def rank(pod: Object) -> tuple[object, ...]:
        node = pod["spec"].get("nodeName") or ""
        status = pod.get("status") or {}
        ready = conditions.get(pod, "Ready")
        since = None
        if ready is not None and ready["status"] == "True":
            since = _moment(ready.get("lastTransitionTime") or "")
        created = _moment(pod["metadata"]["creationTimestamp"])
        return (
            bool(node),
            _PHASES.get(status.get("phase", "Pending"), 1),
            since is not None,
            _cost(pod),
            -crowd[node] if node else 0,
            _magnitude(now - since) if since is not None else 0,
            -max((c.get("restartCount", 0) for c in status.get("containerStatuses") or ()), default=0),
            _magnitude(now - created),
            -created,
            pod["metadata"]["name"],
        )

    return sorted(active, key=rank)[:count]


def _crowd(view: ReadView, rs: Object, active: list[Object]) -> Counter[str]:
    """How many active pods each node has of this ReplicaSet and those of the same owner."""
    crowd = Counter(pod["spec"].get("nodeName") or "" for pod in active)
    owner = controller_of(rs)
    if owner is None:
        return crowd
    for sibling in view.owned("replicasets.apps", owner["uid"]):
        if sibling["metadata"]["uid"] == rs["metadata"]["uid"]:
            continue
        for pod in view.owned("pods", sibling["metadata"]["uid"]):
            if pods.is_active(pod):
                crowd[pod["spec"].get("nodeName") or ""] += 1
    return crowd


@lru_cache(maxsize=1024)
def _moment(text: str) -> float:
    """Pods made or readied together have the same time, to the second."""
    return parse_rfc3339(text) if text else 0.0


def _magnitude(seconds: float) -> int:
    """Ages alike up to a factor of two count as equal."""
    return int(math.log2(seconds)) if seconds >= 1 else 0


def _cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0
