"""Rules for Ingresses and their classes (k8s.io/kubernetes/pkg/apis/networking/validation)."""

from __future__ import annotations

import ipaddress

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import (
    dns_label_1035,
    dns_subdomain,
    path_segment,
    port_name,
    port_number,
    wildcard_subdomain,
)

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
# What may not stand in a path, and not at its end.
NEVER = ("//", "/./", "/../", "%2f", "%2F")
NOT_LAST = ("/..", "/.")
CONTROLLER_LIMIT = 250


def ingress_spec(spec: Object, path: str, faults: Faults) -> None:
    rules = spec.get("rules") or ()
    backend = spec.get("defaultBackend")
    if not rules and backend is None:
        faults.invalid(path, spec.get("rules"), "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        _backend(backend, f"{path}.defaultBackend", faults)
    for i, rule in enumerate(rules):
        where = f"{path}.rules[{i}]"
        if rule.get("host"):
            _host(rule["host"], f"{where}.host", faults)
        for j, given in enumerate((rule.get("http") or {}).get("paths") or ()):
            _path(given, f"{where}.http.paths[{j}]", faults)
    for i, tls in enumerate(spec.get("tls") or ()):
        for j, host in enumerate(tls.get("hosts") or ()):
            _host(host, f"{path}.tls[{i}].hosts[{j}]", faults)
        if tls.get("secretName"):
            faults.all_invalid(
                f"{path}.tls[{i}].secretName", tls["secretName"], dns_subdomain(tls["secretName"])
            )
    name = spec.get("ingressClassName")
    if name is not None:
        faults.all_invalid(f"{path}.ingressClassName", name, dns_subdomain(name))


def _host(host: str, path: str, faults: Faults) -> None:
    try:
        ipaddress.ip_address(host)
        faults.invalid(path, host, "must be a DNS name, not an IP address")
    except ValueError:
        pass
    faults.all_invalid(path, host, wildcard_subdomain(host) if "*" in host else dns_subdomain(host))


def _path(given: Object, path: str, faults: Faults) -> None:
    text, kind = given.get("path") or "", given.get("pathType")
    if kind is None:
        faults.required(f"{path}.pathType", "pathType must be specified")
    elif kind in ("Exact", "Prefix"):
        if not text.startswith("/"):
            faults.invalid(f"{path}.path", text, "must be an absolute path")
        elif text:
            for part in NEVER:
                if part in text:
                    faults.invalid(f"{path}.path", text, f"must not contain '{part}'")
            for end in NOT_LAST:
                if text.endswith(end):
                    faults.invalid(f"{path}.path", text, f"cannot end with '{end}'")
    elif kind == "ImplementationSpecific":
        if text and not text.startswith("/"):
            faults.invalid(f"{path}.path", text, "must be an absolute path")
    else:
        faults.not_supported(f"{path}.pathType", kind, PATH_TYPES)
    _backend(given.get("backend") or {}, f"{path}.backend", faults)


def _backend(backend: Object, path: str, faults: Faults) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        faults.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        _resource(resource, f"{path}.resource", faults)
    elif service is not None:
        if service.get("name"):
            faults.all_invalid(f"{path}.service.name", service["name"], dns_label_1035(service["name"]))
        port = service.get("port") or {}
        name, number = port.get("name"), port.get("number")
        if name and number:
            faults.invalid(path, "", "cannot set both port name & port number")
        elif name:
            faults.all_invalid(f"{path}.service.port.name", name, port_name(name))
        elif number:
            faults.all_invalid(f"{path}.service.port.number", number, port_number(number))
        else:
            faults.required(path, "port name or number is required")
    else:
        faults.required(path, "resource or service backend is required")


def _resource(resource: Object, path: str, faults: Faults) -> None:
    """Something of any kind. That it has a kind and a name is declared on the fields."""
    if resource.get("apiGroup"):
        faults.all_invalid(f"{path}.apiGroup", resource["apiGroup"], dns_subdomain(resource["apiGroup"]))
    for field in ("kind", "name"):
        if resource.get(field):
            faults.all_invalid(f"{path}.{field}", resource[field], path_segment(resource[field]))


def ingress_class_spec(spec: Object, path: str, faults: Faults) -> None:
    controller = spec.get("controller") or ""
    if len(controller) > CONTROLLER_LIMIT:
        faults.too_long(f"{path}.controller", CONTROLLER_LIMIT)
    if not controller:
        faults.required(f"{path}.controller")
    else:
        domain, slash, rest = controller.partition("/")
        if not slash or not domain or not rest:
            faults.invalid(
                f"{path}.controller",
                controller,
                'must be a domain-prefixed path (such as "acme.io/foo")',
            )
        else:
            faults.all_invalid(f"{path}.controller", domain, dns_subdomain(domain))
    if spec.get("parameters") is not None:
        _parameters(spec["parameters"], f"{path}.parameters", faults)


def _parameters(ref: Object, path: str, faults: Faults) -> None:
    _resource(ref, path, faults)
    scope, namespace = ref.get("scope"), ref.get("namespace")
    if scope not in ("Cluster", "Namespace"):
        faults.not_supported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    elif scope == "Namespace" and not namespace:
        faults.required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    elif scope == "Cluster" and namespace is not None:
        faults.forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")
