"""What a pod takes of its node while it is being resized: the greater of what it asks for and what it was given.

https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ (`PodRequests` with `UseStatusResources`).
"""

from __future__ import annotations

from app.objects import conditions, quantity
from app.objects.change import Object

PENDING = "PodResizePending"
_SECTIONS = (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"))


def charged(pod: Object) -> Object:
    """The pod as what it takes is to be counted; itself unless its node has given it something else than it asks for.
    What it was told that it can't have (`Infeasible`) is not counted."""
    status = pod.get("status") or {}
    if not status.get("containerStatuses") or not _differs(pod["spec"], status):
        return pod
    condition = conditions.get(pod, PENDING)
    infeasible = condition is not None and condition.get("reason") == "Infeasible"
    spec = dict(pod["spec"])
    for section, statuses in _SECTIONS:
        given = {s.get("name"): s.get("allocatedResources") for s in status.get(statuses) or ()}
        if spec.get(section):
            spec[section] = [_raised(c, given.get(c.get("name")), infeasible) for c in spec[section]]
    return {**pod, "spec": spec}


def _differs(spec: Object, status: Object) -> bool:
    for section, statuses in _SECTIONS:
        shown = status.get(statuses)
        if not shown:
            continue
        asked = {c.get("name"): (c.get("resources") or {}).get("requests") for c in spec.get(section) or ()}
        for one in shown:
            given = one.get("allocatedResources")
            if given and given != asked.get(one.get("name")):
                return True
    return False


def _raised(container: Object, given: Object | None, infeasible: bool) -> Object:
    if not given:
        return container
    resources = container.get("resources") or {}
    requests = dict(resources.get("requests") or {})
    for name, amount in given.items():
        own = requests.get(name)
        if own is None or infeasible or quantity.nanos(amount) > quantity.nanos(own):
            requests[name] = amount
    return {**container, "resources": {**resources, "requests": requests}}
