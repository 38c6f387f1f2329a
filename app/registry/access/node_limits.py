"""What a node may write of that which it may write at all (Kubernetes's admission plugin NodeRestriction).

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.base.errors import Forbidden, qualified
from app.objects.change import Object
from app.objects.pods import MIRROR
from app.registry.access.attributes import Subject
from app.registry.access.drawn import drawn_on
from app.registry.access.nodes import NODES, node_of
from app.registry.request import Request
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry

RESTRICTED = "node-restriction.kubernetes.io"
_RESERVED = ("kubernetes.io", "k8s.io")
# What an agent may say of its node in Kubernetes's own name.
_KNOWN_LABELS = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_KNOWN_SPACES = ("kubelet.kubernetes.io", "node.kubernetes.io")


def check(
    registry: Registry,
    request: Request,
    kind: Kind,
    old: Object | None,
    new: Object | None,
    subresource: str = "",
) -> None:
    """May a node make this of that? `old` is None for a create, `new` for a delete. Raises Forbidden."""
    node = node_of(Subject(request.user, request.groups))
    if not node:
        return
    rule = _RULES.get(kind.resource)
    why = rule(node, old, new) if rule else ""
    if why:
        name = (new or old or {}).get("metadata", {}).get("name") or ""
        raise Forbidden(
            f'{qualified(kind.plural, kind.group)} "{name}" is forbidden: {why}',
            group=kind.group,
            resource=kind.plural,
            name=name,
        )


def concerns(groups: tuple[str, ...]) -> bool:
    """Whether somebody in these groups is a node."""
    return NODES in groups


def refused_labels(old: Object | None, new: Object) -> list[str]:
    """The labels that differ, and that a node may not change of itself."""
    before = ((old or {}).get("metadata") or {}).get("labels") or {}
    after = new["metadata"].get("labels") or {}
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return sorted(key for key in changed if not _allowed(key))


def _allowed(key: str) -> bool:
    space = key.rpartition("/")[0]
    if _within(space, RESTRICTED):
        return False
    reserved = any(_within(space, domain) for domain in _RESERVED)
    return not reserved or key in _KNOWN_LABELS or any(_within(space, known) for known in _KNOWN_SPACES)


def _within(space: str, domain: str) -> bool:
    return space == domain or space.endswith("." + domain)


def _node(node: str, old: Object | None, new: Object | None) -> str:
    name = (new or old or {})["metadata"].get("name")
    if name != node:
        return f'node "{node}" is not allowed to modify node "{name}"'
    if new is None:
        return ""
    labels = refused_labels(old, new)
    if old is None:
        return (
            f'node "{node}" is not allowed to set the following labels: {", ".join(labels)}' if labels else ""
        )
    if ((old.get("spec") or {}).get("taints") or []) != ((new.get("spec") or {}).get("taints") or []):
        return f'node "{node}" is not allowed to modify taints'
    if old["metadata"].get("ownerReferences") != new["metadata"].get("ownerReferences"):
        return f'node "{node}" is not allowed to modify ownerReferences'
    return f'node "{node}" is not allowed to modify labels: {", ".join(labels)}' if labels else ""


def _pod(node: str, old: Object | None, new: Object | None) -> str:
    if old is not None:
        if (old.get("spec") or {}).get("nodeName") != node:
            verb = "delete pods" if new is None else "update pod status for pods"
            return f'node "{node}" can only {verb} with spec.nodeName set to itself'
        if new is not None and old["metadata"].get("labels") != new["metadata"].get("labels"):
            return f'node "{node}" cannot update labels through pod status'
        return ""
    assert new is not None
    meta = new["metadata"]
    annotations = meta.get("annotations") or {}
    if MIRROR not in annotations:
        return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
    if (new.get("spec") or {}).get("nodeName") != node:
        return f'node "{node}" can only create pods with spec.nodeName set to itself'
    owners = meta.get("ownerReferences") or []
    if any(owner.get("kind") != "Node" or owner.get("name") != node for owner in owners):
        return f'node "{node}" can only create pods with an owner reference set to itself'
    plain = {**new, "metadata": {**meta, "annotations": {}}}
    drawn = sorted(resource for resource, _ in drawn_on(plain))
    return f'node "{node}" can not create pods that reference {drawn[0]}' if drawn else ""


def _named(what: str) -> Callable[[str, Object | None, Object | None], str]:
    def rule(node: str, old: Object | None, new: Object | None) -> str:
        name = (new or old or {})["metadata"].get("name")
        return "" if name == node else f"can only access {what} with the same name as the requesting node"

    return rule


_RULES: dict[str, Callable[[str, Object | None, Object | None], str]] = {
    "nodes": _node,
    "pods": _pod,
    "leases.coordination.k8s.io": _named("node lease"),
    "csinodes.storage.k8s.io": _named("CSINode"),
}
