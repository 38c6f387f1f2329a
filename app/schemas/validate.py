"""Validation: whether an object may be stored, and if not, everything that speaks against it.

What can be said of one field is declared on it (required, choices, form); rules that span several fields
are in the `rules_*` modules. The words are Kubernetes's own, since people and tools know them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from app.objects.change import Object
from app.schemas import (
    apps,
    core_config,
    core_container,
    core_event,
    core_node,
    core_pod,
    core_probe,
    core_resource,
    core_scheduling,
    core_service,
    discovery,
    meta,
    rules_config,
    rules_container,
    rules_meta,
    rules_pod,
    rules_service,
    rules_update,
    rules_workload,
)
from app.schemas.faults import Faults
from app.schemas.fields import Field, ListOf, MapOf, Struct, Type
from app.schemas.formats import dns_label, dns_label_1035, dns_subdomain
from app.schemas.kind import Kind

Look = Callable[[Any, str, Faults], None]

_NAME_FORMS = {"namespaces": dns_label, "services": dns_label_1035}


def validate(kind: Kind, obj: Object) -> None:
    """Check a new object, which has its defaults and its name. The status is not looked at.

    Raises:
        Invalid: with a cause for everything that is wrong.
    """
    faults = Faults()
    name = _name(kind, obj, faults)
    _looker(kind.schema)(obj, "", faults)
    faults.check(kind, name)


def validate_update(kind: Kind, old: Object, new: Object) -> None:
    """Check a changed object. Parts that are as they were are not looked at again.

    Raises:
        Invalid: with a cause for everything that is wrong, or may not be changed.
    """
    faults = Faults()
    rules_update.unchanged(kind, old, new, faults)
    if any(old.get(part) != value for part, value in new.items() if part not in ("metadata", "status")):
        _looker(kind.schema)(new, "", faults)
    elif old["metadata"] != new["metadata"]:
        _looker(meta.ObjectMeta)(new["metadata"], "metadata", faults)
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


_RULES: dict[type[Type], Look] = {
    apps.DeploymentSpec: rules_workload.deployment_spec,
    apps.DeploymentStrategy: rules_workload.strategy,
    apps.ReplicaSetSpec: rules_workload.replica_set_spec,
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
    core_probe.LifecycleHandler: rules_container.one_handler,
    core_probe.Probe: rules_container.one_handler,
    core_resource.ResourceRequirements: rules_container.resources,
    core_scheduling.NodeSelectorRequirement: rules_pod.node_requirement,
    core_service.EndpointSubset: rules_service.subset,
    core_service.ServiceSpec: rules_service.service_spec,
    discovery.EndpointSlice: rules_service.endpoint_slice,
    meta.ObjectMeta: rules_meta.object_meta,
}
