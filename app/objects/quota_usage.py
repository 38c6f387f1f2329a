"""What an object uses up of a ResourceQuota: which of the quota's names it counts for, and how much.

https://kubernetes.io/docs/concepts/policy/resource-quotas/ and pkg/quota/v1/evaluator in Kubernetes. All amounts
are in billionths, so that counts and quantities are summed alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import pod_resources, quantity
from app.objects.change import Object
from app.objects.pods import is_terminal
from app.objects.quantity import NANO

Amounts = dict[str, int]

CLAIMS = "persistentvolumeclaims"
# Names under which objects of a resource are simply counted.
COUNTED = frozenset(
    {"pods", "services", "secrets", "configmaps", CLAIMS, "replicationcontrollers", "resourcequotas"}
)
_OF_SERVICES = ("services.loadbalancers", "services.nodeports")
_OF_CLASS = ".storageclass.storage.k8s.io/"
# Requests may be named without saying so.
_BARE = ("cpu", "memory", "ephemeral-storage")
# Where one of these is limited, every container must say how much it wants.
MUST_SAY = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def resource_of(name: str) -> str:
    """The resource whose objects are charged for this name of a quota."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in COUNTED:
        return name
    if name in _OF_SERVICES:
        return "services"
    if name == "requests.storage" or _OF_CLASS in name:
        return CLAIMS
    return "pods"


def usage(resource: str, obj: Object, names: Iterable[str]) -> Amounts:
    """How much of each of these names an object uses up; names that it has nothing to do with are left out."""
    mine = [name for name in names if resource_of(name) == resource]
    if not mine:
        return {}
    if resource == "pods":
        return _of_pod(obj, mine)
    if resource == CLAIMS:
        return _of_claim(obj, mine)
    if resource == "services":
        return _of_service(obj, mine)
    return dict.fromkeys(mine, NANO)


def unsaid(pod: Object, names: Iterable[str]) -> str:
    """What a quota over these names wants its containers to say and they don't: `limits.cpu for: a,b`, or ""."""
    missing = []
    spec = pod.get("spec") or {}
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for name in sorted(names):
        if name not in MUST_SAY:
            continue
        which, wanted = _field(name)
        silent = [
            c["name"] for c in containers if wanted not in ((c.get("resources") or {}).get(which) or {})
        ]
        if silent:
            missing.append(f"{name} for: {','.join(sorted(silent))}")
    return "; ".join(missing)


def listed(amounts: Amounts) -> str:
    """Amounts as messages show them: `cpu=2,pods=1`."""
    return ",".join(f"{name}={shown(name, amount)}" for name, amount in sorted(amounts.items()))


def shown(name: str, amount: int) -> str:
    """An amount as a quantity."""
    return pod_resources.shown(name, amount)


def amounts_of(quantities: Object | None) -> Amounts:
    """Quantities, such as `spec.hard`, as amounts."""
    return {name: quantity.nanos(value) for name, value in (quantities or {}).items()}


def added(one: Amounts, other: Amounts) -> Amounts:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def grown(new: Amounts, old: Amounts) -> Amounts:
    """By how much `new` is more than `old`; what is not more is left out."""
    return {name: more for name, value in new.items() if (more := value - old.get(name, 0)) > 0}


def _of_pod(pod: Object, names: list[str]) -> Amounts:
    found: Amounts = {}
    finished = is_terminal(pod)
    asked: dict[str, Amounts] = {}
    for name in names:
        if name == "count/pods":
            found[name] = NANO
        elif finished:
            continue
        elif name == "pods":
            found[name] = NANO
        else:
            which, wanted = _field(name)
            if which not in asked:
                asked[which] = pod_resources.amounts(pod.get("spec") or {}, which)  # type: ignore[arg-type]
            if wanted in asked[which]:
                found[name] = asked[which][wanted]
    return found


def _field(name: str) -> tuple[str, str]:
    """Whether a name speaks of requests or limits, and of what."""
    if name in _BARE or name.startswith("hugepages-"):
        return "requests", name
    which, _, wanted = name.partition(".")
    return which, wanted


def _of_claim(claim: Object, names: list[str]) -> Amounts:
    spec = claim.get("spec") or {}
    annotations = claim["metadata"].get("annotations") or {}
    of_class = (
        spec.get("storageClassName") or annotations.get("volume.beta.kubernetes.io/storage-class") or ""
    )
    size = quantity.nanos(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0))
    found: Amounts = {}
    for name in names:
        class_name, of_this_class, what = name.partition(_OF_CLASS)
        if of_this_class:
            if class_name == of_class:
                found[name] = size if what == "requests.storage" else NANO
        else:
            found[name] = size if name == "requests.storage" else NANO
    return found


def _of_service(service: Object, names: list[str]) -> Amounts:
    spec = service.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or ()
    node_ports = 0
    if kind == "NodePort" or (
        kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False
    ):
        node_ports = len(ports)
    elif kind == "LoadBalancer":
        node_ports = sum(1 for port in ports if port.get("nodePort"))
    special = {"services.loadbalancers": int(kind == "LoadBalancer"), "services.nodeports": node_ports}
    return {name: special.get(name, 1) * NANO for name in names}
