"""Field selectors: `metadata.name=x,status.phase!=Running`, as in `?fieldSelector=`.

Which fields a resource knows: https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
and the field label conversions in kubernetes/pkg/apis/*/v1/conversion.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.base.errors import BadRequest
from app.objects.change import Object

_EVENT = (
    "reason", "reportingComponent", "source", "type",
    *(f"involvedObject.{f}" for f in
      ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")),
)  # fmt: skip

# What fields of Events are called in events.k8s.io; they are stored as v1 Events.
_NEW_EVENT = {
    "reportingController": "reportingComponent",
    **{f"regarding.{f.partition('.')[2]}": f for f in _EVENT if f.startswith("involvedObject.")},
}

SUPPORTED: dict[str, tuple[str, ...]] = {
    "certificatesigningrequests.certificates.k8s.io": ("spec.signerName",),
    "pods": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "events": _EVENT,
    "events.events.k8s.io": (*_EVENT, *_NEW_EVENT),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "replicasets.apps": ("status.replicas",),
    "replicationcontrollers": ("status.replicas",),
    "jobs.batch": ("status.successful",),
}  # fmt: skip

# Kinds with fields of their own that don't know this one, for they live in no namespace.
_WITHOUT_NAMESPACE = ("certificatesigningrequests.certificates.k8s.io", "namespaces", "nodes")

# What an absent field counts as.
_DEFAULTS = {
    "spec.hostNetwork": "false",
    "spec.unschedulable": "false",
    "status.replicas": "0",
    "status.successful": "0",
}

_TERM = re.compile(r"((?:[^\\=!]|\\.|!(?!=))*)(==|!=|=)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Terms `(field, equal, value)`, all of which must hold."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    @property
    def everything(self) -> bool:
        return not self.terms

    def exact(self, field: str) -> str | None:
        """The value that `field` must have, if one is asked for."""
        return next((value for name, equal, value in self.terms if equal and name == field), None)

    def matches(self, obj: Object) -> bool:
        return all((value_of(obj, field) == value) is equal for field, equal, value in self.terms)


EVERYTHING = FieldSelector()


@lru_cache(maxsize=1024)
def parse(text: str, resource: str, more: tuple[str, ...] = ()) -> FieldSelector:
    """The selector that `text` writes, for objects of `resource` (`pods`, `deployments.apps`), which knows `more`
    fields than those that are known here.

    Raises:
        BadRequest: it is none, or names a field that this resource does not support.
    """
    supported = ("metadata.name", "metadata.namespace", *SUPPORTED.get(resource, ()), *more)
    if resource in _WITHOUT_NAMESPACE:
        supported = tuple(field for field in supported if field != "metadata.namespace")
    terms = []
    for part in _split(text):
        match = _TERM.fullmatch(part)
        if match is None:
            raise BadRequest(f"invalid selector: '{text}'; can't understand '{part}'")
        field = match[1].strip()
        if field not in supported:
            raise BadRequest(_unsupported(field, resource, more))
        terms.append((_NEW_EVENT.get(field, field), match[2] != "!=", _unescape(match[3], text)))
    return FieldSelector(tuple(terms))


def parse_any(text: str) -> FieldSelector:
    """The selector that `text` writes, whichever fields it names: for who only asks what it would be about.

    Raises:
        BadRequest: it is none.
    """
    terms = []
    for part in _split(text):
        match = _TERM.fullmatch(part)
        if match is None:
            raise BadRequest(f"invalid selector: '{text}'; can't understand '{part}'")
        terms.append((match[1].strip(), match[2] != "!=", _unescape(match[3], text)))
    return FieldSelector(tuple(terms))


def _unsupported(field: str, resource: str, more: tuple[str, ...]) -> str:
    """Kinds with fields of their own say it in other words than those with none."""
    if resource in SUPPORTED or more:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def value_of(obj: Object, field: str) -> str:
    """What a field selector compares: the field as text, empty if absent."""
    special = _SPECIAL.get(field)
    found: Any = special(obj) if special else obj
    if special is None:
        for name in field.split("."):
            found = found.get(name) if isinstance(found, dict) else None
    if found is None or found == "":
        return _DEFAULTS.get(field, "")
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found)


def _pod_ips(pod: Object) -> str:
    return ",".join(ip.get("ip", "") for ip in (pod.get("status") or {}).get("podIPs") or ())


def _event_source(event: Object) -> str:
    source = event.get("source") or {}
    return source.get("component") or event.get("reportingComponent") or ""


_SPECIAL: dict[str, Callable[[Object], Any]] = {
    "status.podIPs": _pod_ips,
    "source": _event_source,
}


def _split(text: str) -> list[str]:
    """The terms between commas that no backslash escapes; empty ones are skipped, as Kubernetes does."""
    return [part for part in re.findall(r"(?:[^\\,]|\\.)+", text, re.DOTALL) if part]


def _unescape(value: str, text: str) -> str:
    if re.search(r"(?<!\\)(?:\\\\)*=", value) or re.search(r"\\(?:[^\\,=]|$)", value.replace("\\\\", "")):
        raise BadRequest(f"invalid selector: '{text}'; can't understand '{value}'")
    return re.sub(r"\\([\\,=])", r"\1", value)
