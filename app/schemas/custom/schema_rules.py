"""Whether the values and expressions in a structural schema are right: its defaults, and its rules in CEL."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.cel import CelError
from app.schemas.custom.check import checker
from app.schemas.custom.match import ABSENT
from app.schemas.custom.prune import pruner
from app.schemas.custom.rules import RULES, compile_rule
from app.schemas.custom.walk import additional_of, items_of, properties_of
from app.schemas.faults import Faults

_REASONS = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")


def check_values(schema: Object, path: str, faults: Faults) -> None:
    """Add what is wrong with the defaults and rules of a structural schema and of all inside it."""
    if schema.get("default") is not None:
        _default(schema, path, faults)
    for i, given in enumerate(schema.get(RULES) or ()):
        _rule(given, schema, f"{path}.{RULES}[{i}]", faults)
    for name, each in properties_of(schema).items():
        check_values(each, f"{path}.properties[{name}]", faults)
    for word, inner in (("additionalProperties", additional_of(schema)), ("items", items_of(schema))):
        if inner is not None:
            check_values(inner, f"{path}.{word}", faults)


def _default(schema: Object, path: str, faults: Faults) -> None:
    value, dropped = schema["default"], list[str]()
    prune = pruner(schema)
    if prune:
        prune(value, "", dropped)
    if dropped:
        faults.invalid(f"{path}.default", value, "must not have unknown fields")
        return
    checker(schema)(value, ABSENT, f"{path}.default", faults)


def _rule(given: Object, schema: Object, path: str, faults: Faults) -> None:
    text = given.get("rule") or ""
    if not text.strip():
        faults.required(f"{path}.rule", "rule is not specified")
        return
    if given.get("message") and "\n" in given["message"].strip():
        faults.invalid(f"{path}.message", given["message"], "message must not contain line breaks")
    if "\n" in text and not given.get("message"):
        faults.required(f"{path}.message", "message must be specified if rule contains line breaks")
    if given.get("reason") and given["reason"] not in _REASONS:
        faults.not_supported(f"{path}.reason", given["reason"], sorted(_REASONS))
    try:
        compiled = compile_rule({**given, "messageExpression": ""}, schema)
    except CelError as exc:
        faults.invalid(f"{path}.rule", text, str(exc))
        return
    if given.get("optionalOldSelf") is not None and not compiled.transition:
        faults.invalid(
            f"{path}.optionalOldSelf", given["optionalOldSelf"],
            "may not be set if oldSelf is not used in rule",
        )  # fmt: skip
    if given.get("messageExpression"):
        try:
            compile_rule(given, schema)
        except CelError as exc:
            faults.invalid(f"{path}.messageExpression", given["messageExpression"], str(exc))
