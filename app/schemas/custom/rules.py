"""x-kubernetes-validations: rules in CEL, compiled once and evaluated for each value that they are about.

`self` is the value and `oldSelf` what it was; a rule that names `oldSelf` is about changes only, unless
`optionalOldSelf` makes it an optional value.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.objects.change import Object
from app.schemas.cel import CelError, Program, compile_expression
from app.schemas.custom.cel_value import converter, type_of
from app.schemas.custom.match import ABSENT, field_before, matching_items
from app.schemas.custom.walk import additional_of, items_of, properties_of
from app.schemas.faults import Faults

Look = Callable[[Any, Any, str, Faults], None]

RULES = "x-kubernetes-validations"
# Strings of CEL, in which a name is no name.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_OLD = re.compile(r"\boldSelf\b")


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule. `transition`: it is about changes; `optional`: `oldSelf` may be missing."""

    given: Object
    program: Program
    message: Program | None
    transition: bool
    optional: bool


def compile_rule(given: Object, schema: Object) -> Rule:
    """The rule of a schema.

    Raises:
        CelError: its expression, or that of its message, is wrong.
    """
    text, optional = given.get("rule") or "", bool(given.get("optionalOldSelf"))
    kind = type_of(schema)
    program = _compiled(text, kind, "bool", optional)
    message = given.get("messageExpression")
    return Rule(
        given,
        program,
        _compiled(message, kind, "string", optional) if message else None,
        _names_old(text),
        optional,
    )


def _names_old(text: str) -> bool:
    return _OLD.search(_STRING.sub("", text)) is not None


def _compiled(text: str, kind: str, result: str, optional: bool) -> Program:
    if optional:
        # Python has no optional values to hand in; they are made on the way.
        wrapped = f"cel.bind(oldSelf, given__ ? optional.of(old__) : optional.none(), {text}\n)"
        return compile_expression(wrapped, {"self": kind, "old__": "dyn", "given__": "bool"}, result)
    return compile_expression(text, {"self": kind, "oldSelf": kind}, result)


def rule_checker(schema: Object) -> Look | None:
    """The function that evaluates the rules of a schema and of all inside it; None if there are none.

    Raises:
        CelError: one of them can't be compiled.
    """
    rules = [compile_rule(given, schema) for given in schema.get(RULES) or ()]
    convert = converter(schema) if rules else None
    named = {name: inner for name, each in properties_of(schema).items() if (inner := rule_checker(each))}
    rest_schema, item_schema = additional_of(schema), items_of(schema)
    rest = rule_checker(rest_schema) if rest_schema is not None else None
    items = rule_checker(item_schema) if item_schema is not None else None
    if not (rules or named or rest or items):
        return None
    known = properties_of(schema)
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    word = schema.get("type") or "object"

    def look(value: Any, old: Any, path: str, faults: Faults) -> None:
        if value is None:
            return
        unchanged = old is not ABSENT and type(old) is type(value) and old == value
        if rules:
            shown = convert(value) if convert else value
            before = ABSENT if old is ABSENT or old is None else convert(old) if convert else old
            for rule in rules:
                # What an update leaves as it was is not refused for rules that came later.
                if not (unchanged and not rule.transition):
                    _evaluate(rule, shown, before, word, path, faults)
        prefix = f"{path}." if path else ""
        if type(value) is dict:
            for name, inner in value.items():
                each = named.get(name) or (rest if name not in known else None)
                if each:
                    each(inner, field_before(old, name), prefix + name, faults)
        elif type(value) is list and items:
            former = matching_items(list_type, keys, value, old)
            for i, item in enumerate(value):
                items(item, former(i, item), f"{path}[{i}]", faults)

    return look


def _evaluate(rule: Rule, value: Any, before: Any, word: str, path: str, faults: Faults) -> None:
    if rule.transition and not rule.optional and before is ABSENT:
        return
    given = before is not ABSENT
    variables: dict[str, Any] = {"self": value}
    if rule.optional:
        variables |= {"old__": before if given else None, "given__": given}
    else:
        variables["oldSelf"] = before if given else None
    plain = rule.given.get("message") or f"failed rule: {rule.given['rule']}"
    try:
        found = rule.program.evaluate(variables)
    except CelError as exc:
        faults.invalid(path or "<nil>", word, f"rule evaluation error: {exc} evaluating rule: {plain}")
        return
    if found is True:
        return
    _refuse(
        rule.given, word, path + (rule.given.get("fieldPath") or ""), _message(rule, variables, plain), faults
    )


def _message(rule: Rule, variables: dict[str, Any], plain: str) -> str:
    if rule.message is None:
        return plain
    try:
        found = rule.message.evaluate(variables)
    except CelError:
        return plain
    usable = isinstance(found, str) and found.strip() and "\n" not in found and len(found) <= 5 * 1024
    return found if usable else plain


def _refuse(given: Object, word: str, path: str, message: str, faults: Faults) -> None:
    path = path.removeprefix(".") or "<nil>"
    reason = given.get("reason") or "FieldValueInvalid"
    if reason == "FieldValueForbidden":
        faults.forbidden(path, message)
    elif reason == "FieldValueRequired":
        faults.required(path, message)
    elif reason == "FieldValueDuplicate":
        faults.duplicate(path, word)
    else:
        faults.invalid(path, word, message)
