"""Priority: from a pod's priorityClassName to its number, and one default class at most.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from __future__ import annotations

from app.objects.admitted import PRIORITIES
from app.objects.change import Object
from app.registry.admission.attributes import Attributes, Surroundings, forbidden

RESOURCE = "priorityclasses.scheduling.k8s.io"
ANYTIME = "PreemptLowerPriority"


def mutate(attributes: Attributes, around: Surroundings) -> None:
    """Put the class's value and preemption policy into a new pod.

    Raises:
        Forbidden: there is no such class, or the pod says another number than its class.
    """
    pod = attributes.obj
    if pod is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    spec = pod.get("spec") or {}
    name = spec.get("priorityClassName") or ""
    if name:
        value, policy = _class(attributes, around, name)
    else:
        name, value, policy = _default(around)
    given = spec.get("priority")
    if given is not None and given != value:
        raise forbidden(
            attributes,
            f"the integer value of priority ({given}) must not be provided in pod spec; priority admission "
            f"controller computed {value} from the given PriorityClass name",
        )
    own = spec.get("preemptionPolicy")
    if own and own != policy:
        raise forbidden(
            attributes,
            f"the string value of PreemptionPolicy ({own}) must not be provided in pod spec; priority admission "
            f"controller computed {policy} from the given PriorityClass name",
        )
    filled = {**spec, "priority": value, "preemptionPolicy": policy}
    if name:
        filled["priorityClassName"] = name
    attributes.obj = {**pod, "spec": filled}


def validate_class(attributes: Attributes, around: Surroundings) -> None:
    """Raises Forbidden if a second class were to be the default."""
    if attributes.obj is None or not attributes.obj.get("globalDefault"):
        return
    own = attributes.obj["metadata"].get("name")
    for other in around.view.list(RESOURCE):
        name = other["metadata"]["name"]
        if other.get("globalDefault") and name != own:
            raise forbidden(
                attributes,
                f"PriorityClass {name} is already marked as default. Only one default can exist",
            )


def _class(attributes: Attributes, around: Surroundings, name: str) -> tuple[int, str]:
    found = around.view.get(RESOURCE, name)
    if found is None and name in PRIORITIES:
        return PRIORITIES[name], ANYTIME
    if found is None:
        found = around.lookup(RESOURCE, name)
    if found is None:
        raise forbidden(attributes, f"no PriorityClass with name {name} was found")
    return int(found.get("value") or 0), found.get("preemptionPolicy") or ANYTIME


def _default(around: Surroundings) -> tuple[str, int, str]:
    """The name, value and policy of pods that name no class; of several defaults the lowest."""
    chosen: Object | None = None
    for each in around.view.list(RESOURCE):
        if each.get("globalDefault") and (chosen is None or each.get("value", 0) < chosen.get("value", 0)):
            chosen = each
    if chosen is None:
        return "", 0, ANYTIME
    return (
        chosen["metadata"]["name"],
        int(chosen.get("value") or 0),
        chosen.get("preemptionPolicy") or ANYTIME,
    )
