"""Rules for classes of priority and runtime (k8s.io/kubernetes/pkg/apis/scheduling/validation and
node/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.formats import dns_label
from app.schemas.rules.meta import labels

HIGHEST_FOR_USERS = 1_000_000_000
SYSTEM_PREFIX = "system-"
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def priority_class(given: Object, path: str, faults: Faults) -> None:
    name, value = (given.get("metadata") or {}).get("name") or "", given.get("value", 0)
    if name.startswith(SYSTEM_PREFIX):
        wrong = _unlike_system(name, value, bool(given.get("globalDefault")))
        if wrong:
            faults.forbidden(
                "metadata.name",
                "priority class names with 'system-' prefix are reserved for system use only. error: "
                + wrong,
            )
    elif value > HIGHEST_FOR_USERS:
        faults.forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_FOR_USERS}")
    policy = given.get("preemptionPolicy")
    if policy == "":
        faults.required("preemptionPolicy")
    elif policy not in (None, "PreemptLowerPriority", "Never"):
        faults.not_supported("preemptionPolicy", policy, ("PreemptLowerPriority", "Never"))


def _unlike_system(name: str, value: int, default: bool) -> str:
    known = SYSTEM_CLASSES.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if value != known:
        return f"value of {name} PriorityClass must be {known}"
    return f"globalDefault of {name} PriorityClass must be false" if default else ""


def runtime_class(given: Object, path: str, faults: Faults) -> None:
    handler = given.get("handler") or ""
    faults.all_invalid("handler", handler, dns_label(handler))
    for name, amount in ((given.get("overhead") or {}).get("podFixed") or {}).items():
        if nanos(amount) < 0:
            faults.invalid(f"overhead.podFixed[{name}]", amount, "must be greater than or equal to 0")
    scheduling = given.get("scheduling") or {}
    if scheduling.get("nodeSelector"):
        labels(scheduling["nodeSelector"], "scheduling.nodeSelector", faults)
    seen: list[Object] = []
    for i, toleration in enumerate(scheduling.get("tolerations") or ()):
        if toleration in seen:
            faults.duplicate(f"scheduling.tolerations[{i}]", toleration)
        seen.append(toleration)
