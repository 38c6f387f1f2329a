"""LimitRanger: defaults and bounds that a namespace's LimitRanges set.

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from collections.abc import Iterator

from app.objects import quantity
from app.objects.change import Object
from app.registry.admission.attributes import Attributes, Surroundings, forbidden, together
from app.registry.admission.limit_checks import broken

RESOURCE = "limitranges"
ANNOTATION = "kubernetes.io/limit-ranger"
_KINDS = (("containers", "container"), ("initContainers", "init container"))


def mutate(attributes: Attributes, around: Surroundings) -> None:
    """Give containers that say nothing the namespace's default requests and limits."""
    pod = attributes.obj
    if pod is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    for item in items(attributes, around):
        if item.get("type") == "Container":
            pod = with_defaults(pod, item)
    attributes.obj = pod


def validate(attributes: Attributes, around: Surroundings) -> None:
    """Raises Forbidden where the object breaks a bound."""
    obj = attributes.obj
    if (
        obj is None
        or attributes.subresource not in ("", "resize")
        or obj["metadata"].get("deletionTimestamp")
    ):
        return
    if attributes.operation == "UPDATE" and attributes.kind.resource == "pods" and not attributes.subresource:
        return  # a pod's resources change by `resize` only
    reasons: list[str] = []
    for item in items(attributes, around):
        reasons += broken(attributes.kind.resource, obj, item)
    if reasons:
        raise forbidden(attributes, together(reasons))


def items(attributes: Attributes, around: Surroundings) -> Iterator[Object]:
    """The limits that hold in the namespace."""
    for limit_range in around.view.list(RESOURCE, attributes.namespace):
        yield from (limit_range.get("spec") or {}).get("limits") or ()


def with_defaults(pod: Object, item: Object) -> Object:
    """The pod with the item's defaults in its containers, and an annotation that says which."""
    limits, requests = defaults_of(item)
    if not limits and not requests:
        return pod
    spec = dict(pod.get("spec") or {})
    told: list[str] = []
    for field, word in _KINDS:
        if spec.get(field):
            spec[field] = [_filled(container, limits, requests, word, told) for container in spec[field]]
    if not told:
        return pod
    meta = dict(pod.get("metadata") or {})
    note = "LimitRanger plugin set: " + "; ".join(told)
    meta["annotations"] = {**(meta.get("annotations") or {}), ANNOTATION: note}
    return {**pod, "metadata": meta, "spec": spec}


def defaults_of(item: Object) -> tuple[Object, Object]:
    """`(limits, requests)` that a container gets: a missing limit is the maximum, a missing request the limit or
    else the minimum (`SetDefaults_LimitRangeItem`)."""
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    return limits, requests


def _filled(container: Object, limits: Object, requests: Object, word: str, told: list[str]) -> Object:
    resources = container.get("resources") or {}
    own_limits, own_requests = resources.get("limits") or {}, resources.get("requests") or {}
    new_limits = {name: limits[name] for name in sorted(limits) if name not in own_limits}
    new_requests = {name: requests[name] for name in sorted(requests) if name not in own_requests}
    for names, what in ((new_requests, "request"), (new_limits, "limit")):
        if names:
            told.append(f"{', '.join(names)} {what} for {word} {container.get('name', '')}")
    if not new_limits and not new_requests:
        return container
    filled = {
        **resources,
        "limits": _merged(own_limits, new_limits),
        "requests": _merged(own_requests, new_requests),
    }
    return {**container, "resources": {k: v for k, v in filled.items() if v}}


def _merged(own: Object, new: Object) -> Object:
    return {**own, **{name: quantity.canonical(amount) for name, amount in new.items()}}
