"""Validation: whether an object may be stored, and if not, everything that speaks against it.

What can be said of one field is declared on it (required, choices, form); rules that span several fields
are in `app.schemas.rules`. The words are Kubernetes's own, since people and tools know them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from app.objects.change import Object
from app.schemas import meta
from app.schemas.custom import definition_rules
from app.schemas.faults import Faults
from app.schemas.fields import Field, ListOf, MapOf, Recursive, Struct, Type
from app.schemas.formats import dns_label, dns_label_1035, dns_subdomain, path_segment
from app.schemas.kind import Kind
from app.schemas.rules import access as rules_access
from app.schemas.rules import autoscaling as rules_autoscaling
from app.schemas.rules import batch as rules_batch
from app.schemas.rules import certificates as rules_certificates
from app.schemas.rules import cluster as rules_cluster
from app.schemas.rules import config as rules_config
from app.schemas.rules import container as rules_container
from app.schemas.rules import ephemeral as rules_ephemeral
from app.schemas.rules import meta as rules_meta
from app.schemas.rules import pod as rules_pod
from app.schemas.rules import pod_parts as rules_pod_parts
from app.schemas.rules import policy as rules_policy
from app.schemas.rules import service as rules_service
from app.schemas.rules import sets as rules_sets
from app.schemas.rules import update as rules_update
from app.schemas.rules import workload as rules_workload
from app.schemas.types import (
    apiextensions,
    apps,
    apps_daemon,
    apps_revision,
    apps_stateful,
    autoscaling,
    autoscaling_metrics,
    autoscaling_v2,
    batch,
    certificates,
    core_config,
    core_container,
    core_event,
    core_node,
    core_pod,
    core_probe,
    core_replication,
    core_resource,
    core_service,
    discovery,
    policy,
    rbac,
)

Look = Callable[[Any, str, Faults], None]

_NAME_FORMS = {
    "certificatesigningrequests.certificates.k8s.io": path_segment,
    "clusterrolebindings.rbac.authorization.k8s.io": path_segment,
    "clusterroles.rbac.authorization.k8s.io": path_segment,
    "ipaddresses.networking.k8s.io": path_segment,
    "namespaces": dns_label,
    "rolebindings.rbac.authorization.k8s.io": path_segment,
    "roles.rbac.authorization.k8s.io": path_segment,
    "services": dns_label_1035,
    "statefulsets.apps": dns_label,
}


def validate(kind: Kind, obj: Object) -> None:
    """Check a new object, which has its defaults and its name. The status is not looked at.

    Raises:
        Invalid: with a cause for everything that is wrong.
    """
    faults = Faults()
    name = _name(kind, obj, faults)
    _looker(kind.schema)(obj, "", faults)
    at_first = _CREATE_RULES.get(kind.resource)
    if at_first:
        at_first(obj, "", faults)
    if kind.custom is not None:
        kind.custom.check(obj, None, faults)
    else:
        rules_meta.finalizers(obj["metadata"], faults)
    faults.check(kind, name)


def validate_version(kind: Kind, obj: Object) -> None:
    """Check what a version that isn't stored asks of a new object by itself, before it is converted; all else is
    checked of the stored one.

    Raises:
        Invalid: with a cause for everything that is wrong.
    """
    faults = Faults()
    _looker(kind.schema)(obj, "", faults)
    if kind.custom is not None:
        kind.custom.check(obj, None, faults)
    faults.check(kind, (obj.get("metadata") or {}).get("name", ""))


def validate_update(kind: Kind, old: Object, new: Object, subresource: str = "") -> None:
    """Check a changed object. Parts that are as they were are not looked at again. `subresource`: by which it was
    changed, if that has rules of its own.

    Raises:
        Invalid: with a cause for everything that is wrong, or may not be changed.
    """
    faults = Faults()
    rules_update.unchanged(kind, old, new, faults, subresource)
    if any(old.get(part) != value for part, value in new.items() if part not in ("metadata", "status")):
        _looker(kind.schema)(new, "", faults)
    elif old["metadata"] != new["metadata"]:
        _looker(meta.ObjectMeta)(new["metadata"], "metadata", faults)
    if kind.custom is not None:
        kind.custom.check(new, old, faults)
    elif old["metadata"].get("finalizers") != new["metadata"].get("finalizers"):
        rules_meta.finalizers(new["metadata"], faults)
    faults.check(kind, new["metadata"].get("name", ""))


def _name(kind: Kind, obj: Object, faults: Faults) -> str:
    metadata = obj.get("metadata") or {}
    name: str = metadata.get("name") or ""
    if not name:
        faults.required("metadata.name", "name or generateName is required")
    else:
        form = _NAME_FORMS.get(kind.resource, dns_subdomain)
        faults.all_invalid("metadata.name", name, form(name))
    namespace = metadata.get("namespace")
    if namespace and kind.namespaced:
        faults.all_invalid("metadata.namespace", namespace, dns_label(namespace))
    elif namespace:
        faults.forbidden("metadata.namespace", "not allowed on this type")
    return name


@cache
def _looker(schema: type[Type]) -> Look:
    """The function that looks over objects of a type."""
    looks = [
        (name, look) for name, field in schema.fields_of().items() if (look := _field_looker(name, field))
    ]
    rule = _RULES.get(schema)

    def look_over(obj: Object, path: str, faults: Faults) -> None:
        prefix = f"{path}." if path else ""
        for name, look in looks:
            look(obj.get(name), prefix + name, faults)
        if rule:
            rule(obj, path, faults)

    return look_over


@cache
def _has_rules(schema: type[Type]) -> bool:
    """Whether there is anything to look at in objects of a type."""
    fields = schema.fields_of().items()
    return schema in _RULES or any(_field_looker(name, field) for name, field in fields)


def _field_looker(name: str, field: Field) -> Look | None:
    if name == "status" and isinstance(field, Struct):
        return None
    inner = _inner_looker(field)
    required, choices, check = field.required, field.choices, field.check
    if not (inner or required or choices or check):
        return None
    by_value = isinstance(field, Struct) and field.by_value

    def look(value: Any, path: str, faults: Faults) -> None:
        if value is None or value == "" or value == []:
            if by_value and inner:
                inner({}, path, faults)
            elif required:
                faults.required(path)
            return
        if choices and value not in choices:
            faults.not_supported(path, value, choices)
        if check:
            faults.all_invalid(path, value, check(value))
        if inner:
            inner(value, path, faults)

    return look


def _inner_looker(field: Field) -> Look | None:
    if isinstance(field, Recursive):
        return None
    if isinstance(field, Struct):
        return _looker(field.schema) if _has_rules(field.schema) else None
    if not isinstance(field, ListOf | MapOf):
        return None
    inner = _inner_looker(field.inner)
    if inner is None:
        return None
    if isinstance(field, MapOf):

        def look_map(items: dict[str, Any], path: str, faults: Faults) -> None:
            for key, item in items.items():
                inner(item, f"{path}[{key}]", faults)

        return look_map

    def look_list(items: list[Any], path: str, faults: Faults) -> None:
        for i, item in enumerate(items):
            inner(item, f"{path}[{i}]", faults)

    return look_list


# What holds of new objects only.
_CREATE_RULES: dict[str, Look] = {"pods": rules_ephemeral.on_create}
_RULES: dict[type[Type], Look] = {
    apiextensions.CustomResourceDefinition: definition_rules.definition,
    **rules_cluster.RULES,
    **rules_pod_parts.RULES,
    apps.DeploymentSpec: rules_workload.deployment_spec,
    apps.DeploymentStrategy: rules_workload.strategy,
    apps.ReplicaSetSpec: rules_workload.replica_set_spec,
    apps_daemon.DaemonSetSpec: rules_sets.daemon_set_spec,
    apps_daemon.DaemonSetUpdateStrategy: rules_sets.daemon_set_strategy,
    apps_revision.ControllerRevision: rules_sets.controller_revision,
    apps_stateful.StatefulSetSpec: rules_sets.stateful_set_spec,
    certificates.CertificateSigningRequestSpec: rules_certificates.request_spec,
    autoscaling.CrossVersionObjectReference: rules_autoscaling.reference,
    autoscaling_metrics.CrossVersionObjectReference: rules_autoscaling.reference,
    autoscaling_v2.HorizontalPodAutoscalerSpec: rules_autoscaling.spec,
    batch.CronJob: rules_batch.cron_job,
    batch.CronJobSpec: rules_batch.cron_job_spec,
    batch.Job: rules_batch.job,
    batch.JobSpec: rules_batch.job_spec,
    batch.JobTemplateSpec: rules_batch.job_template,
    core_config.ConfigMap: rules_config.config_map,
    core_config.Secret: rules_config.secret,
    core_container.Container: rules_container.container,
    core_container.EnvFromSource: rules_container.env_from,
    core_container.EnvVar: rules_container.env_var,
    core_container.EphemeralContainer: rules_container.container,
    core_event.Event: rules_config.event,
    core_node.NodeSpec: rules_config.node_spec,
    core_pod.Binding: rules_config.binding,
    core_pod.PodSpec: rules_pod.pod_spec,
    core_pod.PodTemplateSpec: rules_ephemeral.template,
    core_probe.LifecycleHandler: rules_container.one_handler,
    core_probe.Probe: rules_container.probe,
    core_replication.ReplicationControllerSpec: rules_sets.replication_controller_spec,
    core_resource.ResourceRequirements: rules_container.resources,
    core_service.EndpointSubset: rules_service.subset,
    core_service.ServiceSpec: rules_service.service_spec,
    discovery.EndpointSlice: rules_service.endpoint_slice,
    meta.ObjectMeta: rules_meta.object_meta,
    policy.PodDisruptionBudgetSpec: rules_policy.budget_spec,
    rbac.ClusterRole: rules_access.cluster_role,
    rbac.ClusterRoleBinding: rules_access.cluster_role_binding,
    rbac.Role: rules_access.role,
    rbac.RoleBinding: rules_access.role_binding,
}
