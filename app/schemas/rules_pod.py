"""Rules for pods and pod templates (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.rules_meta import label_selector, labels

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
# Only for those that keep running; an init container ends, so there is nothing to probe.
RUNNING_ONLY = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def pod_spec(spec: Object, path: str, faults: Faults) -> None:
    volumes = _volumes(spec, path, faults)
    names: set[str] = set()
    for section in CONTAINERS:
        for i, container in enumerate(spec.get(section) or ()):
            where = f"{path}.{section}[{i}]"
            name = container.get("name")
            if name and name in names:
                faults.duplicate(f"{where}.name", name)
            names.add(name)
            _mounts(container, volumes, where, faults)
            if section == "initContainers" and container.get("restartPolicy") != "Always":
                _ending(container, where, faults)
            if spec.get("hostNetwork"):
                _host_ports(container, where, faults)
    if spec.get("nodeSelector"):
        labels(spec["nodeSelector"], f"{path}.nodeSelector", faults)
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        faults.required(
            f"{path}.dnsConfig.nameservers",
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        )
    for i, toleration in enumerate(spec.get("tolerations") or ()):
        _toleration(toleration, f"{path}.tolerations[{i}]", faults)
    _spread(spec, path, faults)


def _volumes(spec: Object, path: str, faults: Faults) -> set[str]:
    names: set[str] = set()
    for i, volume in enumerate(spec.get("volumes") or ()):
        name = volume.get("name", "")
        if name and name in names:
            faults.duplicate(f"{path}.volumes[{i}].name", name)
        names.add(name)
        sources = [key for key in volume if key != "name"]
        if not sources:
            faults.required(f"{path}.volumes[{i}]", "must specify a volume type")
        for extra in sources[1:]:
            faults.forbidden(f"{path}.volumes[{i}].{extra}", "may not specify more than 1 volume type")
    return names


def _mounts(container: Object, volumes: set[str], path: str, faults: Faults) -> None:
    for i, mount in enumerate(container.get("volumeMounts") or ()):
        name = mount.get("name")
        if name and name not in volumes:
            faults.not_found(f"{path}.volumeMounts[{i}].name", name)


def _ending(container: Object, path: str, faults: Faults) -> None:
    for field in RUNNING_ONLY:
        if container.get(field) is not None:
            faults.forbidden(
                f"{path}.{field}", "may not be set for init containers without restartPolicy=Always"
            )


def _host_ports(container: Object, path: str, faults: Faults) -> None:
    for i, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort") and port["hostPort"] != port.get("containerPort"):
            faults.invalid(
                f"{path}.ports[{i}].containerPort",
                port.get("containerPort"),
                "must match `hostPort` when `hostNetwork` is true",
            )


def _toleration(toleration: Object, path: str, faults: Faults) -> None:
    operator = toleration.get("operator") or "Equal"
    if not toleration.get("key") and operator != "Exists":
        faults.invalid(
            f"{path}.operator",
            toleration.get("operator", ""),
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        )
    if operator == "Exists" and toleration.get("value"):
        faults.invalid(f"{path}.operator", toleration, "value must be empty when `operator` is 'Exists'")
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        faults.invalid(
            f"{path}.effect",
            toleration.get("effect", ""),
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
        )


def _spread(spec: Object, path: str, faults: Faults) -> None:
    seen: set[tuple[str, str]] = set()
    for i, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        where = f"{path}.topologySpreadConstraints[{i}]"
        key = (constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", ""))
        if key in seen:
            faults.duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{key[0]}, {key[1]}}}")
        seen.add(key)
        if constraint.get("labelSelector"):
            label_selector(constraint["labelSelector"], f"{where}.labelSelector", faults)
        if constraint.get("minDomains") is not None and key[1] != "DoNotSchedule":
            faults.invalid(
                f"{where}.minDomains",
                constraint["minDomains"],
                "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
            )


def node_requirement(requirement: Object, path: str, faults: Faults) -> None:
    """Node affinity's operators have the values that they need."""
    operator, values = requirement.get("operator"), requirement.get("values") or ()
    if operator in ("In", "NotIn") and not values:
        faults.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in ("Exists", "DoesNotExist") and values:
        faults.forbidden(
            f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        )
    if operator in ("Gt", "Lt") and len(values) != 1:
        faults.required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
