"""Which webhooks and policies a request is for: rules, scope, selectors.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import selectors
from app.objects.change import Object, ReadView
from app.registry.admission.attributes import Attributes
from app.schemas import kinds
from app.schemas.kinds import Kind

# What decides on admission itself is not shown to it: a mistake there could never be put right.
EXEMPT = frozenset(
    {
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    }
)


def matched_kind(attributes: Attributes, rules: Iterable[Object], policy: str) -> Kind | None:
    """The version of the kind in which the request matches one of the rules: its own or, if the policy is
    Equivalent, any in which it could have been made. None if it matches none."""
    listed = list(rules)
    candidates = [attributes.kind]
    if policy != "Exact":
        kind = attributes.kind
        candidates += [
            other
            for version in kinds.groups().get(kind.group, ())
            if version != kind.version
            and (other := kinds.by_path(kind.group, version, kind.plural)) is not None
        ]
    for kind in candidates:
        if any(_rule_holds(attributes, kind, rule) for rule in listed):
            return kind
    return None


def selected(
    attributes: Attributes, view: ReadView, namespaces: Object | None, objects: Object | None
) -> bool:
    """Whether both selectors hold: of the labels of the namespace, and of the object as it was or will be."""
    return _namespace_selected(attributes, view, namespaces) and _object_selected(attributes, objects)


def _rule_holds(attributes: Attributes, kind: Kind, rule: Object) -> bool:
    return (
        _any(rule.get("operations"), attributes.operation)
        and _any(rule.get("apiGroups"), kind.group)
        and _any(rule.get("apiVersions"), kind.version)
        and any(
            _resource_holds(pattern, kind.plural, attributes.subresource)
            for pattern in rule.get("resources") or ()
        )
        and _scope_holds(str(rule.get("scope") or "*"), kind)
        and (not rule.get("resourceNames") or attributes.name in rule["resourceNames"])
    )


def _any(given: list[str] | None, value: str) -> bool:
    return given is not None and ("*" in given or value in given)


def _resource_holds(pattern: str, plural: str, subresource: str) -> bool:
    resource, slash, sub = pattern.partition("/")
    if resource not in ("*", plural):
        return False
    return sub in ("*", subresource) if slash else not subresource


def _scope_holds(scope: str, kind: Kind) -> bool:
    # A Namespace counts as part of the cluster.
    return scope == "*" or (scope == "Namespaced") == (kind.namespaced and kind.resource != "namespaces")


def _namespace_selected(attributes: Attributes, view: ReadView, selector: Object | None) -> bool:
    if not selector:
        return True
    if attributes.kind.resource == "namespaces" and not attributes.subresource:
        obj = attributes.obj if attributes.obj is not None else attributes.old
    elif attributes.namespace:
        obj = view.get("namespaces", attributes.namespace)
    else:
        return True  # what lives in no namespace is never left out by a namespace's labels
    labels = ((obj or {}).get("metadata") or {}).get("labels") or {}
    return selectors.of_label_selector(selector).matches(labels)


def _object_selected(attributes: Attributes, selector: Object | None) -> bool:
    if not selector:
        return True
    wanted = selectors.of_label_selector(selector)
    return any(
        wanted.matches((obj.get("metadata") or {}).get("labels") or {})
        for obj in (attributes.obj, attributes.old)
        if obj is not None
    )
