"""The plugin: every policy that is bound and that the request is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from app.base.errors import ApiError, Cause
from app.objects.change import Object, ReadView
from app.registry.admission import conditions
from app.registry.admission.attributes import Attributes, Surroundings, forbidden
from app.registry.admission.policies.params import NoParams, params_of
from app.registry.admission.webhooks.matching import EXEMPT, matched_kind, selected

POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
NOTED = "validation.policy.admission.k8s.io/validation_failure"
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}


def any_policies(view: ReadView) -> bool:
    return bool(view.keys(BINDINGS))


def validate(attributes: Attributes, around: Surroundings) -> None:
    """Raises ApiError where a policy denies the request."""
    view = around.view
    if not view.keys(BINDINGS) or attributes.kind.resource in EXEMPT:
        return
    for binding in view.list(BINDINGS):
        spec = binding.get("spec") or {}
        policy = view.get(POLICIES, str(spec.get("policyName") or ""))
        if policy is None or not _concerned(attributes, view, policy, binding):
            continue
        for reason, message in _broken(attributes, view, policy, binding):
            _act(attributes, policy, binding, reason, message)


def _concerned(attributes: Attributes, view: ReadView, policy: Object, binding: Object) -> bool:
    for of in (policy["spec"].get("matchConstraints"), binding["spec"].get("matchResources")):
        if of is None:
            continue
        match = str(of.get("matchPolicy") or "Equivalent")
        rules = of.get("resourceRules")
        if rules and matched_kind(attributes, rules, match) is None:
            return False
        if matched_kind(attributes, of.get("excludeResourceRules") or (), match) is not None:
            return False
        if not selected(attributes, view, of.get("namespaceSelector"), of.get("objectSelector")):
            return False
    return True


def _broken(
    attributes: Attributes, view: ReadView, policy: Object, binding: Object
) -> Iterator[tuple[str, str]]:
    """`(reason, message)` of what the request breaks."""
    from app.registry.admission.expressions import of_request

    spec = policy["spec"]
    given = of_request(attributes)
    given["namespaceObject"] = view.get("namespaces", attributes.namespace) if attributes.namespace else None
    lenient = spec.get("failurePolicy") == "Ignore"
    try:
        if not conditions.hold(spec.get("matchConditions") or (), given):
            return
        chosen = params_of(policy, binding, attributes.namespace, view)
    except (conditions.Failed, NoParams) as exc:
        if not lenient:
            yield "Invalid", str(exc)
        return
    for params in chosen:
        yield from _with_params(attributes, spec, {**given, "params": params}, lenient)


def _with_params(
    attributes: Attributes, spec: Object, given: dict[str, Any], lenient: bool
) -> Iterator[tuple[str, str]]:
    from app.registry.admission.expressions import CelError, value

    given["variables"] = named = {}
    for variable in spec.get("variables") or ():
        try:
            named[variable["name"]] = value(variable["expression"], given)
        except CelError:
            continue  # only who uses it fails
    for validation in spec.get("validations") or ():
        text = validation["expression"]
        try:
            if value(text, given, "bool") is True:
                continue
        except CelError as exc:
            if not lenient:
                yield "Invalid", f"expression '{text}' resulted in error: {exc}"
            continue
        yield validation.get("reason") or "Invalid", _message(validation, given)
    for note in spec.get("auditAnnotations") or ():
        try:
            found = value(note["valueExpression"], given)
        except CelError:
            continue
        if isinstance(found, str) and found:
            attributes.annotations[f"{note['key']}"] = found


def _message(validation: Object, given: dict[str, Any]) -> str:
    from app.registry.admission.expressions import CelError, value

    plain = str(validation.get("message") or f"failed expression: {validation['expression'].strip()}")
    if not validation.get("messageExpression"):
        return plain
    try:
        found = value(validation["messageExpression"], given)
    except CelError:
        return plain
    return found if isinstance(found, str) and found.strip() and "\n" not in found else plain


def _act(attributes: Attributes, policy: Object, binding: Object, reason: str, message: str) -> None:
    """Deny, warn or note. Raises ApiError."""
    names = (policy["metadata"]["name"], binding["metadata"]["name"])
    actions = binding["spec"].get("validationActions") or ("Deny",)
    if "Audit" in actions:
        said = {
            "message": message,
            "policy": names[0],
            "binding": names[1],
            "validationActions": list(actions),
        }
        attributes.annotations[NOTED] = orjson.dumps([said]).decode()
    if "Warn" in actions:
        attributes.warn(
            f"Validation failed for ValidatingAdmissionPolicy '{names[0]}' with binding '{names[1]}': {message}"
        )
    if "Deny" in actions:
        raise _denial(attributes, names, reason, message)


def _denial(attributes: Attributes, names: tuple[str, str], reason: str, message: str) -> ApiError:
    text = f"ValidatingAdmissionPolicy '{names[0]}' with binding '{names[1]}' denied request: {message}"
    error = forbidden(attributes, text, (Cause("", "", text),))
    error.reason = reason
    error.code = _CODES.get(reason, 422)
    return error
