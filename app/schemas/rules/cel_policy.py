"""Rules for admission policies and their bindings
(k8s.io/kubernetes/pkg/apis/admissionregistration/validation)."""

from __future__ import annotations

import re

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_label_1035, dns_subdomain, path_segment, qualified_name
from app.schemas.rules.admission import match_conditions, operations_rule

ACTIONS = ("Audit", "Deny", "Warn")
REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
PATCH_TYPES = ("ApplyConfiguration", "JSONPatch")
ANNOTATIONS_LIMIT = 20
VALUE_LIMIT = 5 * 1024
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


def validating_policy(given: Object, path: str, faults: Faults) -> None:
    spec = given.get("spec") or {}
    _shared(spec, faults)
    validations, notes = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not notes:
        detail = "validations or auditAnnotations must contain at least one item"
        faults.required("spec.validations", detail)
        faults.required("spec.auditAnnotations", detail)
    for i, validation in enumerate(validations):
        _validation(validation, f"spec.validations[{i}]", faults)
    if len(notes) > ANNOTATIONS_LIMIT:
        faults.invalid(
            "spec.auditAnnotations", notes, f"must not have more than {ANNOTATIONS_LIMIT} auditAnnotations"
        )
    name = (given.get("metadata") or {}).get("name") or ""
    keys: set[str] = set()
    for i, note in enumerate(notes):
        where, key = f"spec.auditAnnotations[{i}]", note.get("key") or ""
        whole = f"{name}/{key}"
        faults.all_invalid(f"{where}.key", whole, qualified_name(whole))
        value = note.get("valueExpression") or ""
        if not value.strip():
            faults.required(f"{where}.valueExpression", "valueExpression is not specified")
        elif len(value) > VALUE_LIMIT:
            faults.required(f"{where}.valueExpression", f"must not exceed {VALUE_LIMIT} bytes in length")
        if key in keys:
            faults.duplicate(f"{where}.key", key)
        keys.add(key)


def mutating_policy(given: Object, path: str, faults: Faults) -> None:
    spec = given.get("spec") or {}
    _shared(spec, faults)
    mutations = spec.get("mutations") or ()
    if not mutations:
        faults.required("spec.mutations", "mutations must contain at least one item")
    for i, mutation in enumerate(mutations):
        _mutation(mutation, f"spec.mutations[{i}]", faults)


def _shared(spec: Object, faults: Faults) -> None:
    """What both sorts of policies have."""
    if spec.get("paramKind") is not None:
        _param_kind(spec["paramKind"], faults)
    matched = spec.get("matchConstraints")
    if matched is not None:
        match_resources(matched, "spec.matchConstraints", faults)
        if not matched.get("resourceRules"):
            faults.required("spec.matchConstraints.resourceRules")
    match_conditions(spec.get("matchConditions") or [], "spec.matchConditions", faults)
    for i, variable in enumerate(spec.get("variables") or ()):
        where, name = f"spec.variables[{i}]", variable.get("name") or ""
        if not name.strip():
            faults.required(f"{where}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            faults.invalid(f"{where}.name", name, "name is not a valid CEL identifier")
        if not (variable.get("expression") or "").strip():
            faults.required(f"{where}.expression", "expression is not specified")


def _param_kind(given: Object, faults: Faults) -> None:
    text, kind = given.get("apiVersion") or "", given.get("kind") or ""
    where = "spec.paramKind.apiVersion"
    group, _, version = text.rpartition("/")
    if not text:
        faults.required(where)
    elif "/" in group:
        faults.invalid(where, text, f"unexpected GroupVersion string: {text}")
    else:
        if group and (wrong := dns_subdomain(group)):
            faults.invalid(where, group, ",".join(wrong))
        if not version:
            faults.invalid(where, text, "version must be specified")
        elif wrong := dns_label_1035(version):
            faults.invalid(where, version, ",".join(wrong))
    if not kind:
        faults.required("spec.paramKind.kind")
    elif wrong := dns_label_1035(kind.lower()):
        faults.invalid(
            "spec.paramKind.kind",
            kind,
            "may have mixed case, but should otherwise match: " + ",".join(wrong),
        )


def match_resources(given: Object, path: str, faults: Faults) -> None:
    for field in ("resourceRules", "excludeResourceRules"):
        for i, rule in enumerate(given.get(field) or ()):
            operations_rule(rule, f"{path}.{field}[{i}]", faults)


def _validation(given: Object, path: str, faults: Faults) -> None:
    if not (given.get("expression") or "").strip():
        faults.required(f"{path}.expression", "expression is not specified")
    dynamic, message = given.get("messageExpression") or "", given.get("message") or ""
    if dynamic and not dynamic.strip():
        faults.invalid(f"{path}.messageExpression", dynamic, "must be non-empty if specified")
    if message and not message.strip():
        faults.invalid(f"{path}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        faults.invalid(f"{path}.message", message, "message must not contain line breaks")
    reason = given.get("reason")
    if reason is not None and reason not in REASONS:
        faults.not_supported(f"{path}.reason", reason, REASONS)


def _mutation(given: Object, path: str, faults: Faults) -> None:
    kind, applied, patch = given.get("patchType"), given.get("applyConfiguration"), given.get("jsonPatch")
    if not kind:
        faults.required(f"{path}.patchType")
        return
    if kind not in PATCH_TYPES:
        faults.not_supported(f"{path}.patchType", kind, PATCH_TYPES)
        return
    wanted, given_part, other, other_part = (
        ("applyConfiguration", applied, "jsonPatch", patch)
        if kind == "ApplyConfiguration"
        else ("jsonPatch", patch, "applyConfiguration", applied)
    )
    if given_part is None:
        faults.required(f"{path}.{wanted}", f"must be specified when patchType is {kind}")
    elif not (given_part.get("expression") or "").strip():
        faults.required(f"{path}.{wanted}.expression", "expression is not specified")
    if other_part is not None:
        faults.invalid(
            f"{path}.{other}",
            "{applyConfiguration}" if other == "applyConfiguration" else "{jsonPatch}",
            f"must not be specified when patchType is {kind}",
        )


def policy_binding(spec: Object, path: str, faults: Faults) -> None:
    """What bindings of both sorts have."""
    name = spec.get("policyName") or ""
    if name:
        faults.all_invalid(f"{path}.policyName", name, dns_subdomain(name))
    if spec.get("paramRef") is not None:
        _param_ref(spec["paramRef"], f"{path}.paramRef", faults)
    if spec.get("matchResources") is not None:
        match_resources(spec["matchResources"], f"{path}.matchResources", faults)


def validating_binding(spec: Object, path: str, faults: Faults) -> None:
    policy_binding(spec, path, faults)
    where, actions = f"{path}.validationActions", spec.get("validationActions") or ()
    for i, action in enumerate(actions):
        if action not in ACTIONS:
            faults.not_supported(f"{where}[{i}]", action, ACTIONS)
        if action in actions[:i]:
            faults.duplicate(f"{where}[{i}]", action)
    if {"Deny", "Warn"} <= set(actions):
        faults.invalid(
            where,
            actions,
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)",
        )
    if not actions:
        faults.required(where, "at least one validation action is required")


def _param_ref(ref: Object, path: str, faults: Faults) -> None:
    name, selector = ref.get("name"), ref.get("selector")
    if name:
        faults.all_invalid(f"{path}.name", name, path_segment(name))
        if selector is not None:
            faults.forbidden(f"{path}.name", "name and selector are mutually exclusive")
    elif selector is None:
        faults.required(path, "one of name or selector must be specified")
    action = ref.get("parameterNotFoundAction")
    if not action:
        faults.required(f"{path}.parameterNotFoundAction")
    elif action not in ("Allow", "Deny"):
        faults.not_supported(f"{path}.parameterNotFoundAction", action, ("Allow", "Deny"))
