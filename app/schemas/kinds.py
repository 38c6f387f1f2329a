"""The registry of kinds: everything that the API serves, and how it is found."""

from __future__ import annotations

from app.schemas import meta
from app.schemas.kind import Column, Kind
from app.schemas.served import (
    admissionregistration,
    apiextensions,
    apps,
    authentication,
    authorization,
    batch,
    certificates,
    coordination,
    core,
    discovery,
    events,
    metrics,
    networking,
    node,
    rbac,
    scheduling,
    storage,
)
from app.schemas.served import autoscaling as autoscalers
from app.schemas.served import policy as budgets
from app.schemas.types import autoscaling, policy

__all__ = [
    "ALL",
    "BINDING",
    "DELETE_OPTIONS",
    "EVICTION",
    "SCALE",
    "TOKEN_REQUEST",
    "Column",
    "Kind",
    "by_kind",
    "by_path",
    "by_resource",
    "groups",
]

# One line for each API group, in the order in which discovery lists them.
ALL: tuple[Kind, ...] = (
    *core.KINDS,
    *apps.KINDS,
    *authentication.KINDS,
    *autoscalers.KINDS,
    *batch.KINDS,
    *certificates.KINDS,
    *coordination.KINDS,
    *discovery.KINDS,
    *events.KINDS,
    *budgets.KINDS,
    *apiextensions.KINDS,
    *networking.KINDS,
    *storage.KINDS,
    *scheduling.KINDS,
    *node.KINDS,
    *admissionregistration.KINDS,
    *authorization.KINDS,
    *rbac.KINDS,
    *metrics.KINDS,
)

# Bodies of requests. They are decoded like any kind, but there is no resource of their own.
SCALE = Kind("autoscaling", "v1", "Scale", "scales", "scale", True, autoscaling.Scale, verbs=())
EVICTION = Kind("policy", "v1", "Eviction", "evictions", "eviction", True, policy.Eviction, verbs=())
TOKEN_REQUEST = authentication.TOKEN_REQUEST
DELETE_OPTIONS = Kind(
    "meta.k8s.io",
    "v1",
    "DeleteOptions",
    "deleteoptions",
    "deleteoptions",
    False,
    meta.DeleteOptions,
    verbs=(),
)

# Of a kind that has several versions, the stored one is found first.
_STORED_FIRST = sorted(ALL, key=lambda kind: kind.conversion is not None, reverse=True)
_BY_RESOURCE = {kind.resource: kind for kind in _STORED_FIRST}
_BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in ALL}
_BY_KIND = {(kind.group, kind.kind): kind for kind in _STORED_FIRST}
# Also the body of a pod's `binding`.
BINDING = _BY_RESOURCE["bindings"]


def by_resource(resource: str) -> Kind:
    """The kind served as `pods` or `deployments.apps`, in the version that is stored. Raises KeyError."""
    return _BY_RESOURCE[resource]


def by_path(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind `/apis/<group>/<version>/<plural>`."""
    return _BY_PATH.get((group, version, plural))


def by_kind(group: str, kind: str) -> Kind | None:
    """The kind that objects call themselves by, in the version that is stored."""
    return _BY_KIND.get((group, kind))


def groups() -> dict[str, tuple[str, ...]]:
    """API groups with their versions, core ("") first."""
    found: dict[str, list[str]] = {}
    for kind in ALL:
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    return {group: tuple(versions) for group, versions in found.items()}
