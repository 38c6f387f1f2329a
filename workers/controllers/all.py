"""All controllers, as the worker runs them."""

from __future__ import annotations

from app.base.settings import Settings
from app.schemas import kinds
from workers.controllers import (
    deployment,
    endpoints,
    event_ttl,
    garbage,
    namespace,
    node_lifecycle,
    pod_garbage,
    replicaset,
    service_account,
    taint_eviction,
)
from workers.controllers.owners import Where
from workers.reconcile.plan import Role


def roles(settings: Settings) -> tuple[Role, ...]:
    """The controllers with the times that `settings` gives."""
    return (
        deployment.ROLE,
        replicaset.role(settings.unreachable_toleration),
        endpoints.ROLE,
        garbage.role(where),
        namespace.ROLE,
        service_account.ROLE,
        node_lifecycle.role(settings.node_grace),
        taint_eviction.ROLE,
        pod_garbage.ROLE,
        event_ttl.ROLE,
    )


def where(api_version: str, kind: str) -> Where | None:
    """Where objects of a kind are kept; None for a kind that the API doesn't have."""
    found = kinds.by_kind(api_version.rpartition("/")[0], kind)
    return None if found is None else Where(found.resource, found.namespaced)


ROLES = roles(Settings())
