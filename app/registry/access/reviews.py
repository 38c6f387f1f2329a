"""Reviews: what may a user do? https://kubernetes.io/docs/reference/access-authn-authz/authorization/"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from app.base.errors import BadRequest
from app.objects import field_selectors
from app.objects.change import Object
from app.objects.field_selectors import FieldSelector
from app.registry.access.attributes import Asked, AskedPath, Subject
from app.registry.request import Request
from app.schemas import kinds
from app.schemas.faults import Faults
from app.schemas.kinds import Kind
from app.schemas.types.authorization import GROUP

if TYPE_CHECKING:
    from app.registry.registry import Registry


Review = Callable[[Request, Object], Object]


def reviews(registry: Registry) -> dict[str, Review]:
    """What answers each kind of question, by resource: takes who asks and the question, and gives it with its
    `status`. They raise Invalid or BadRequest for what can't be answered as it is asked."""
    return {
        f"{plural}.{GROUP}": partial(_answered, registry, f"{plural}.{GROUP}", answer)
        for plural, answer in (
            ("localsubjectaccessreviews", _local_access),
            ("selfsubjectaccessreviews", _own_access),
            ("selfsubjectrulesreviews", _own_rules),
            ("subjectaccessreviews", _access),
        )
    }


def subject_of(request: Request) -> Subject:
    """Who sends a request."""
    return Subject(request.user, request.groups, request.uid)


def _answered(registry: Registry, resource: str, answer: _Answer, request: Request, asked: Object) -> Object:
    status = answer(registry, request, kinds.by_resource(resource), asked)
    metadata = {"creationTimestamp": None, **asked["metadata"]}
    return {**asked, "metadata": metadata, "status": status}


def _access(registry: Registry, request: Request, kind: Kind, asked: Object) -> Object:
    """Whether a user may do something."""
    spec = _checked(kind, asked, others=True)
    return _decided(registry, _subject(spec), spec)


def _local_access(registry: Registry, request: Request, kind: Kind, asked: Object) -> Object:
    """The same within one namespace."""
    spec = _checked(kind, asked, others=True, local=True)
    return _decided(registry, _subject(spec), spec)


def _own_access(registry: Registry, request: Request, kind: Kind, asked: Object) -> Object:
    """Whether who asks may do something."""
    spec = _checked(kind, asked)
    return _decided(registry, subject_of(request), spec)


def _own_rules(registry: Registry, request: Request, kind: Kind, asked: Object) -> Object:
    """All that whoever asks may do in a namespace."""
    namespace = asked.get("spec", {}).get("namespace") or ""
    if not namespace:
        raise BadRequest("no namespace on request")
    rules, problems = registry.access.rules_of(subject_of(request), namespace)
    resources, paths = [], []
    for rule in rules:
        if rule.get("nonResourceURLs"):
            paths.append(_picked(rule, "verbs", "nonResourceURLs"))
        else:
            resources.append(_picked(rule, "verbs", "apiGroups", "resources", "resourceNames"))
    status: Object = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": bool(problems)}
    if problems:
        status["evaluationError"] = ", ".join(problems)
    return status


_Answer = Callable[["Registry", Request, Kind, Object], Object]


def _picked(rule: Object, *fields: str) -> Object:
    return {field: rule[field] for field in fields if rule.get(field)}


def _subject(spec: Object) -> Subject:
    return Subject(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "")


def _decided(registry: Registry, subject: Subject, spec: Object) -> Object:
    problems: list[str] = []
    given = spec.get("resourceAttributes")
    if given is not None:
        decision = registry.access.decide(subject, _asked(given, problems))
    else:
        path = spec.get("nonResourceAttributes") or {}
        decision = registry.access.decide_path(
            subject, AskedPath(path.get("verb") or "", path.get("path") or "")
        )
    status: Object = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    if problems:
        status["evaluationError"] = "; ".join(problems)
    return status


def _asked(given: Object, problems: list[str]) -> Asked:
    return Asked(
        verb=given.get("verb") or "",
        group=given.get("group") or "",
        resource=given.get("resource") or "",
        subresource=given.get("subresource") or "",
        namespace=given.get("namespace") or "",
        name=given.get("name") or "",
        fields=_fields(given.get("fieldSelector") or {}, problems),
    )


def _fields(given: Object, problems: list[str]) -> FieldSelector:
    """The field selector asked about. One that can't be read narrows nothing down, and is told."""
    raw = given.get("rawSelector")
    if raw:
        try:
            return field_selectors.parse_any(raw)
        except BadRequest as exc:
            problems.append(
                f"spec.resourceAttributes.fieldSelector ignored due to parse error: {exc.message}"
            )
            return field_selectors.EVERYTHING
    terms: list[tuple[str, bool, str]] = []
    for requirement in given.get("requirements") or ():
        values: list[str] = requirement.get("values") or []
        if requirement.get("operator") in ("In", "NotIn") and len(values) == 1:
            terms.append((requirement.get("key") or "", requirement["operator"] == "In", values[0]))
        else:
            problems.append(
                f'spec.resourceAttributes.fieldSelector partially ignored due to parse error: "'
                f'{requirement.get("operator")}" with {len(values)} values is not a valid field selector operator'
            )
    return FieldSelector(tuple(terms))


def _checked(kind: Kind, asked: Object, *, others: bool = False, local: bool = False) -> Object:
    """The spec (pkg/apis/authorization/validation). Raises Invalid."""
    spec: Object = asked.get("spec") or {}
    faults = Faults()
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        faults.invalid(
            "spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes"
        )
    if resource is None and path is None:
        faults.invalid(
            "spec.resourceAttributes",
            resource,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )
    if others and not spec.get("user") and not spec.get("groups"):
        faults.invalid("spec.user", "", "at least one of user or group must be specified")
    if resource is not None:
        _selectors(resource, faults)
    metadata = {k: v for k, v in asked["metadata"].items() if v and not (local and k == "namespace")}
    if metadata:
        where = "must be empty except for namespace" if local else "must be empty"
        faults.invalid("metadata", metadata, where)
    if local:
        namespace = asked["metadata"].get("namespace") or ""
        if resource is not None and (resource.get("namespace") or "") != namespace:
            faults.invalid(
                "spec.resourceAttributes.namespace",
                resource.get("namespace") or "",
                "must match metadata.namespace",
            )
        if path is not None:
            faults.invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request")
    faults.check(kind, asked["metadata"].get("name") or "")
    return spec


def _selectors(resource: Object, faults: Faults) -> None:
    for name in ("fieldSelector", "labelSelector"):
        given: Any = resource.get(name)
        if given is None:
            continue
        where = f"spec.resourceAttributes.{name}"
        if given.get("rawSelector") and given.get("requirements"):
            faults.invalid(
                f"{where}.rawSelector",
                given["rawSelector"],
                "may not specified at the same time as requirements",
            )
        if not given.get("rawSelector") and not given.get("requirements"):
            faults.required(
                f"{where}.requirements", f"when {where} is specified, requirements or rawSelector is required"
            )
