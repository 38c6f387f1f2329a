"""What a report changes about its node: the Node itself, and the Lease that says it is alive."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.base.clock import parse_rfc3339, rfc3339_micro
from app.base.errors import Forbidden
from app.objects import change, meta
from app.objects.change import Object, ReadView, Write
from app.objects.claims import claims_of
from app.objects.managed.component import by_component
from app.registry import addresses, incoming
from app.registry.access import node_limits
from app.registry.request import Request
from app.schemas import kinds, validate
from app.schemas.shapes import shape_of

if TYPE_CHECKING:
    from app.registry.registry import Registry

LEASES = "leases.coordination.k8s.io"
LEASE_NAMESPACE = "kube-node-lease"
# A Lease younger than this part of the interval is not renewed: exchanges may come faster than the
# interval when there is much to tell, and a renewal is a commit that every reader of the log sees.
RENEW_AFTER = 0.8
# A Lease renewed so much in the future was so by an API server whose clock is a little ahead of ours; one
# further ahead, before the clock was put right. Seconds.
CLOCKS_DIFFER = 1.0
_TIMES = ("lastHeartbeatTime", "lastTransitionTime")


def actor_of(name: str) -> str:
    """The user that the node's agent is, in the log and wherever else it writes."""
    return f"system:node:{name}"


def node_writes(
    registry: Registry, request: Request, name: str, sent: Object | None, taken: set[str]
) -> list[Write]:
    """The write that makes or changes the Node as its agent says.

    A new one gets a range of pod addresses, none of those in `taken`. Of one that exists, spec, and
    labels and annotations of other names, stay as others set them. A newer heartbeat alone is no
    change: the Lease tells that.

    Raises:
        BadRequest, Invalid: what the agent sent is no Node. Forbidden: it has labels that no agent may give.
    """
    if sent is None:
        return []
    kind = kinds.by_resource("nodes")
    node = incoming.accept(request, kind, "", sent)
    incoming.check_name(node, name)
    old = registry.view.get("nodes", name)
    if old is None:
        new = meta.complete(node, registry.clock.now(), registry.ids)
        new = addresses.assign(registry, "nodes", new, taken)
        validate.validate(kind, new)
        _check_labels(name, None, new)
        return [change.create("nodes", new, claims=claims_of("nodes", new))]
    new = merged(old, node)
    if new == old:
        return []
    new = by_component(old, new, partial(shape_of, kind), actor_of(name), registry.clock.now())
    validate.validate_update(kind, old, new)
    _check_labels(name, old, new)
    return [change.update("nodes", new)]


def _check_labels(name: str, old: Object | None, new: Object) -> None:
    """Raises Forbidden if an agent labels its node with what is for others to say."""
    labels = node_limits.refused_labels(old, new)
    if labels:
        verb = "set the following labels" if old is None else "modify labels"
        raise Forbidden(
            f'nodes "{name}" is forbidden: node "{name}" is not allowed to {verb}: {", ".join(labels)}',
            resource="nodes",
            name=name,
        )


def merged(old: Object, sent: Object) -> Object:
    """The Node as stored with the agent's labels, annotations and status laid over."""
    metadata = dict(old["metadata"])
    for field in ("labels", "annotations"):
        together = {**(metadata.get(field) or {}), **(sent["metadata"].get(field) or {})}
        if together:
            metadata[field] = together
    before, now = old.get("status") or {}, sent.get("status") or {}
    status = {**before, **now}
    for field in ("capacity", "allocatable"):
        # What others say the node has besides, such as `example.com/dongle`, is theirs.
        others = {name: amount for name, amount in (before.get(field) or {}).items() if "/" in name}
        if others and field in now:
            status[field] = {**others, **now[field]}
    if "conditions" in now:
        status["conditions"] = _conditions(before.get("conditions") or [], now["conditions"])
    return {**old, "metadata": metadata, "status": status}


def _conditions(before: list[Object], sent: list[Object]) -> list[Object]:
    known = {condition.get("type"): condition for condition in before}
    result = []
    for condition in sent:
        old = known.pop(condition.get("type"), None)
        if old is not None and _said(old) == _said(condition):
            condition = old
        elif old is not None and old.get("status") == condition.get("status"):
            condition = {**condition, "lastTransitionTime": old.get("lastTransitionTime")}
        result.append(condition)
    return result + list(known.values())


def _said(condition: Object) -> Object:
    return {key: value for key, value in condition.items() if key not in _TIMES}


def lease_writes(registry: Registry, name: str) -> list[Write]:
    """The write that renews the node's Lease, if it is due. A node that is not known yet has none."""
    view, settings, now = registry.view, registry.settings, registry.clock.now()
    node = view.get("nodes", name)
    if node is None:
        return []
    lease = view.get(LEASES, f"{LEASE_NAMESPACE}/{name}")
    spec = {
        "holderIdentity": name,
        "leaseDurationSeconds": max(1, int(settings.node_grace)),
        "renewTime": rfc3339_micro(now),
    }
    if lease is not None:
        renewed = renewed_at(lease)
        if renewed - CLOCKS_DIFFER <= now < renewed + settings.exchange * RENEW_AFTER:
            return []
        return [change.update(LEASES, {**lease, "spec": {**lease["spec"], **spec}})]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    new = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]},
        "spec": spec,
    }
    return [change.create(LEASES, meta.complete(new, now, registry.ids))]


def lease_missing(view: ReadView, name: str) -> bool:
    """Whether the node is there without a Lease, as one is that was just registered."""
    known = view.get("nodes", name) is not None
    return known and view.get(LEASES, f"{LEASE_NAMESPACE}/{name}") is None


def renewed_at(lease: Object) -> float:
    """When a Lease was last renewed, in seconds since the epoch; 0 if never."""
    moment = (lease.get("spec") or {}).get("renewTime")
    return parse_rfc3339(moment) if moment else 0.0
