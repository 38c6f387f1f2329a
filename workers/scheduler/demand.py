"""Pods that are alike to a scheduler, taken together: a Deployment's thousand pods are judged once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from app.objects.change import Object
from app.objects.meta import controller_of
from app.objects.persistent import claims_of
from workers.scheduler.state import Asked, HostPort, asked_by, host_ports

DEFAULT_SCHEDULER = "default-scheduler"
_SHAPING = (
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "nodeName",
    "overhead",
    "resources",
)


@dataclass(slots=True)
class Demand:
    """A class of pods that ask for the same, with one of them (`pod`) to look at.

    `group` says which pods should be kept apart from each other: those of one controller. `claims` are the names of the
    claims that all of them mount.
    """

    pod: Object
    asked: Asked
    ports: tuple[HostPort, ...]
    group: str
    claims: tuple[str, ...] = ()
    pods: list[Object] = field(default_factory=list)

    @property
    def spec(self) -> Object:
        return self.pod["spec"]  # type: ignore[no-any-return]


def is_waiting(pod: Object) -> bool:
    """Whether the pod is this scheduler's to place, now."""
    spec, meta = pod["spec"], pod["metadata"]
    return (
        not spec.get("nodeName")
        and not spec.get("schedulingGates")
        and not meta.get("deletionTimestamp")
        and (spec.get("schedulerName") or DEFAULT_SCHEDULER) == DEFAULT_SCHEDULER
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    )


def group_of(pod: Object) -> str:
    """The controller's uid; for a pod without, its namespace and labels."""
    meta = pod["metadata"]
    owner = controller_of(pod) if meta.get("ownerReferences") else None
    if owner is not None:
        return str(owner["uid"])
    return (
        str(meta["namespace"]) + orjson.dumps(meta.get("labels") or {}, option=orjson.OPT_SORT_KEYS).decode()
    )


def demands(waiting: Iterable[Object]) -> list[Demand]:
    """The classes of the waiting pods, by priority, then by the oldest of each."""
    classes: dict[tuple[str, bytes], Demand] = {}
    for pod in waiting:
        spec = pod["spec"]
        group = group_of(pod)
        claims = claims_of(pod) if spec.get("volumes") else ()
        # Serialising is the quickest way to compare nested values, and what differs only in the
        # order of its fields merely makes a class of its own.
        shape = orjson.dumps(
            [
                [spec.get(name) for name in _SHAPING],
                [[c.get("resources"), c.get("ports")] for c in spec.get("containers") or ()],
                [[c.get("resources"), c.get("restartPolicy")] for c in spec.get("initContainers") or ()],
                pod["metadata"]["namespace"],
                pod["metadata"].get("labels"),
                spec.get("priority"),
                claims,
            ]
        )
        demand = classes.get((group, shape))
        if demand is None:
            demand = classes[group, shape] = Demand(pod, asked_by(pod), host_ports(pod), group, tuple(claims))
        demand.pods.append(pod)
    for demand in classes.values():
        demand.pods.sort(key=_age)
    return sorted(classes.values(), key=lambda d: (-(d.spec.get("priority") or 0), _age(d.pods[0])))


def _age(pod: Object) -> tuple[str, str, str]:
    meta = pod["metadata"]
    return meta.get("creationTimestamp") or "", meta["namespace"], meta["name"]
