"""The cluster as one scheduling pass sees it: what each node has left, kept up to date while the pass
places pods."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from app.objects import pod_resize, pod_resources, pods, quantity
from app.objects.change import Object, ReadView
from app.objects.meta import is_deleting, labels

# Where a node doesn't say (kubelet --max-pods).
MAX_PODS = 110
COUNTED = frozenset({"cpu", "memory"})
# (address, protocol, port) that a pod takes on its node.
HostPort = tuple[str, str, int]
ANY_ADDRESS = "0.0.0.0"


class Asked(NamedTuple):
    """What a pod takes of a node: cpu in millicores, memory and ephemeral storage in bytes; `more`: of huge pages and of
    resources that nodes are told to have, such as `example.com/dongle`."""

    cpu: int
    memory: int
    storage: int
    more: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class NodeState:
    """A node, what it has, and what is taken of it."""

    name: str
    node: Object
    labels: dict[str, str]
    taints: list[Object]
    cpu: int
    memory: int
    storage: int
    max_pods: int
    # What it lets pods have of everything, as quantities.
    has: Object = field(default_factory=dict)
    used_cpu: int = 0
    used_memory: int = 0
    used_storage: int = 0
    used_more: dict[str, int] = field(default_factory=dict)
    pods: int = 0
    ports: set[HostPort] = field(default_factory=set)
    # How many pods of each group (see `demand.group_of`) it has.
    groups: dict[str, int] = field(default_factory=dict)

    def take(self, asked: Asked, ports: tuple[HostPort, ...], group: str) -> None:
        """One more pod is on this node."""
        self.used_cpu += asked.cpu
        self.used_memory += asked.memory
        self.used_storage += asked.storage
        for name, amount in asked.more:
            self.used_more[name] = self.used_more.get(name, 0) + amount
        self.pods += 1
        if ports:
            self.ports.update(ports)
        self.groups[group] = self.groups.get(group, 0) + 1


def nodes_of(view: ReadView) -> list[NodeState]:
    """All nodes that aren't being deleted, empty yet."""
    return [_node_state(node) for node in view.list("nodes") if not is_deleting(node)]


def _node_state(node: Object) -> NodeState:
    spec, status = node.get("spec") or {}, node.get("status") or {}
    has = status.get("allocatable") or status.get("capacity") or {}
    return NodeState(
        node["metadata"]["name"],
        node,
        labels(node),
        spec.get("taints") or [],
        quantity.millis(has.get("cpu", 0)),
        quantity.value(has.get("memory", 0)),
        quantity.value(has["ephemeral-storage"]) if "ephemeral-storage" in has else -1,
        quantity.value(has.get("pods", MAX_PODS)),
        has,
    )


def asked_by(pod: Object) -> Asked:
    """What the pod takes; see `app.objects.pods.requests`, and `app.objects.pod_resize` for one that is resized."""
    pod = pod_resize.charged(pod)
    cpu, memory = pods.requests(pod)
    spec = pod["spec"]
    if not spec.get("resources") and not _asks_for_more(spec):
        return Asked(cpu, memory, 0)
    whole = pod_resources.amounts(spec, "requests")
    if spec.get("resources"):
        cpu, memory = -(-whole.get("cpu", 0) // 1_000_000), -(-whole.get("memory", 0) // quantity.NANO)
    amounts = {name: -(-amount // quantity.NANO) for name, amount in whole.items() if name not in COUNTED}
    storage = amounts.pop("ephemeral-storage", 0)
    return Asked(cpu, memory, storage, tuple(sorted((n, a) for n, a in amounts.items() if a)))


def _asks_for_more(spec: Object) -> bool:
    """Whether a container asks for something else than cpu and memory."""
    for section in ("containers", "initContainers"):
        for container in spec.get(section) or ():
            requests = (container.get("resources") or {}).get("requests")
            if requests and not requests.keys() <= COUNTED:
                return True
    return False


def host_ports(pod: Object) -> tuple[HostPort, ...]:
    """The ports of its node that the pod takes."""
    found: list[HostPort] = []
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            number = port.get("hostPort")
            if number:
                found.append((port.get("hostIP") or ANY_ADDRESS, port.get("protocol") or "TCP", number))
    return tuple(found)


def ports_clash(wanted: tuple[HostPort, ...], taken: set[HostPort]) -> bool:
    """Whether any of the ports is taken: on the same address, or either on all addresses."""
    for address, protocol, number in wanted:
        for other_address, other_protocol, other_number in taken:
            if (protocol, number) == (other_protocol, other_number) and (
                address == other_address or ANY_ADDRESS in (address, other_address)
            ):
                return True
    return False
