"""Rules for containers (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.formats import data_key, dns_subdomain, env_name, http_header, qualified_name
from app.schemas.rules.field_path import OF_VARIABLES, field_ref, resource_ref

HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
HUGE = "hugepages-"
STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})


def container(given: Object, path: str, faults: Faults) -> None:
    image = given.get("image") or ""
    if image != image.strip():
        faults.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    names: set[str] = set()
    for i, port in enumerate(given.get("ports") or ()):
        name = port.get("name")
        if name and name in names:
            faults.duplicate(f"{path}.ports[{i}].name", name)
        names.add(name)
    readiness = given.get("readinessProbe")
    if readiness and readiness.get("terminationGracePeriodSeconds") is not None:
        faults.invalid(
            f"{path}.readinessProbe.terminationGracePeriodSeconds",
            readiness["terminationGracePeriodSeconds"],
            "must not be set for readinessProbes",
        )
    for name in ("livenessProbe", "startupProbe"):
        threshold = (given.get(name) or {}).get("successThreshold", 1)
        if threshold > 1:
            faults.invalid(f"{path}.{name}.successThreshold", threshold, "must be 1")


def one_handler(given: Object, path: str, faults: Faults) -> None:
    """A probe or hook does exactly one thing."""
    present = [name for name in HANDLERS if given.get(name) is not None]
    if not present:
        faults.required(path, "must specify a handler type")
    for name in present[1:]:
        faults.forbidden(f"{path}.{name}", "may not specify more than 1 handler type")


def probe(given: Object, path: str, faults: Faults) -> None:
    one_handler(given, path, faults)
    for header in (given.get("httpGet") or {}).get("httpHeaders") or ():
        name = header.get("name") or ""
        faults.all_invalid(f"{path}.httpGet.httpHeaders", name, http_header(name))


def env_var(variable: Object, path: str, faults: Faults) -> None:
    source = variable.get("valueFrom")
    if source is None:
        return
    _source(source, f"{path}.valueFrom", faults)
    present = [name for name, value in source.items() if value is not None]
    if variable.get("value"):
        faults.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    if not present:
        kinds = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        faults.invalid(f"{path}.valueFrom", "", f"must specify one of: {kinds}")
    elif len(present) > 1:
        faults.invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")


def _source(source: Object, path: str, faults: Faults) -> None:
    if source.get("fieldRef") is not None:
        field_ref(source["fieldRef"], OF_VARIABLES, f"{path}.fieldRef", faults)
    if source.get("resourceFieldRef") is not None:
        resource_ref(source["resourceFieldRef"], f"{path}.resourceFieldRef", faults, of_file=False)
    for field in ("configMapKeyRef", "secretKeyRef"):
        ref = source.get(field)
        if ref is not None:
            name, key = ref.get("name") or "", ref.get("key") or ""
            faults.all_invalid(f"{path}.{field}.name", name, dns_subdomain(name))
            if key:
                faults.all_invalid(f"{path}.{field}.key", key, data_key(key))


def env_from(source: Object, path: str, faults: Faults) -> None:
    present = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    if not present:
        faults.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(present) > 1:
        faults.invalid(path, "", "may not have more than one field specified at a time")
    if source.get("prefix"):
        faults.all_invalid(f"{path}.prefix", source["prefix"], env_name(source["prefix"]))
    for field in present:
        name = source[field].get("name")
        if not name:
            faults.required(f"{path}.{field}.name")
        else:
            faults.all_invalid(f"{path}.{field}.name", name, dns_subdomain(name))


def resources(given: Object, path: str, faults: Faults) -> None:
    """Amounts are not negative, and nobody asks for more than they may use."""
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for section, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            where = f"{path}.{section}"
            _resource_name(name, where, faults)
            if nanos(amount) < 0:
                faults.invalid(f"{where}[{name}]", amount, "must be greater than or equal to 0")
            elif name not in STANDARD and nanos(amount) % 1_000_000_000:
                faults.invalid(f"{where}[{name}]", amount, "must be an integer")
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is not None and nanos(amount) > nanos(limit):
            faults.invalid(
                f"{path}.requests", amount, f"must be less than or equal to {name} limit of {limit}"
            )
        elif limit is not None and name not in STANDARD and nanos(amount) != nanos(limit):
            faults.invalid(f"{path}.requests", amount, f"must be equal to {name} limit of {limit}")
        elif limit is None and name not in STANDARD:
            faults.required(f"{path}.limits", "Limit must be set for non overcommitable resources")

    if any(name.startswith(HUGE) for name in limits) and not {"cpu", "memory"} & {*limits, *requests}:
        faults.forbidden(path, "HugePages require cpu or memory")


def _resource_name(name: str, path: str, faults: Faults) -> None:
    where = f"{path}[{name}]"
    wrong = qualified_name(name)
    faults.all_invalid(where, name, wrong)
    if not wrong and "/" not in name and name not in STANDARD and not name.startswith("hugepages-"):
        faults.invalid(where, name, "must be a standard resource type or fully qualified")
        faults.invalid(where, name, "must be a standard resource for containers")
