"""All controllers, as the worker runs them."""

from __future__ import annotations

from app.base.settings import Settings
from app.schemas import kinds
from workers.controllers import (
    account_tokens,
    bootstrap_tokens,
    certificates,
    cron_job,
    custom_resources,
    deployment,
    endpoints,
    ephemeral_claims,
    event_ttl,
    garbage,
    namespace,
    node_lifecycle,
    pod_garbage,
    replicaset,
    replication_controller,
    resource_quota,
    role_aggregation,
    root_ca,
    service_account,
    storage_protection,
    taint_eviction,
)
from workers.controllers.autoscaling import autoscaler
from workers.controllers.daemon import daemon_set
from workers.controllers.disruptions import disruption
from workers.controllers.jobs import job
from workers.controllers.owners import Where
from workers.controllers.signing import NONE, Signing
from workers.controllers.stateful import stateful_set
from workers.controllers.volumes import binder as volume_binder
from workers.controllers.volumes import phases as volume_phases
from workers.controllers.volumes import provisioner as volume_provisioner
from workers.reconcile.plan import Role


def roles(settings: Settings, signing: Signing = NONE) -> tuple[Role, ...]:
    """The controllers with the times that `settings` gives, and the keys in `signing`."""
    return (
        deployment.ROLE,
        replicaset.role(settings.unreachable_toleration),
        replication_controller.role(settings.unreachable_toleration),
        stateful_set.role(settings.unreachable_toleration),
        daemon_set.role(settings.unreachable_toleration),
        job.role(settings.unreachable_toleration),
        cron_job.ROLE,
        disruption.ROLE,
        autoscaler.ROLE,
        endpoints.ROLE,
        garbage.role(where),
        namespace.ROLE,
        custom_resources.ROLE,
        service_account.ROLE,
        root_ca.role(signing.authority),
        account_tokens.role(signing.token, signing.authority),
        *certificates.roles(signing.certificate),
        *bootstrap_tokens.ROLES,
        node_lifecycle.role(settings.node_grace),
        taint_eviction.ROLE,
        pod_garbage.ROLE,
        event_ttl.ROLE,
        role_aggregation.ROLE,
        resource_quota.role(),
        storage_protection.CLAIM_ROLE,
        storage_protection.VOLUME_ROLE,
        volume_binder.ROLE,
        volume_phases.ROLE,
        volume_provisioner.ROLE,
        ephemeral_claims.ROLE,
    )


def where(api_version: str, kind: str) -> Where | None:
    """Where objects of a kind are kept; None for a kind that the API doesn't have."""
    found = kinds.by_kind(api_version.rpartition("/")[0], kind)
    return None if found is None else Where(found.storage.resource, found.namespaced)


ROLES = roles(Settings())
