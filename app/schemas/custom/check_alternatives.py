"""anyOf, oneOf, allOf, not: what a schema says by other schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.base.errors import Cause
from app.objects.change import Object
from app.schemas.custom.match import ABSENT
from app.schemas.faults import Faults

Look = Callable[[Any, Any, str, Faults], None]
Alternatives = Callable[[Any, str, Faults], None]


def alternatives(schema: Object, checker: Callable[[Object], Look]) -> Alternatives | None:
    """The function that looks at a value by them; None if the schema has none."""
    some = [checker(each) for each in schema.get("anyOf") or ()]
    one = [checker(each) for each in schema.get("oneOf") or ()]
    every = [checker(each) for each in schema.get("allOf") or ()]
    none = checker(schema["not"]) if schema.get("not") is not None else None
    if not (some or one or every or none):
        return None

    def look(value: Any, path: str, faults: Faults) -> None:
        if some:
            found = [_causes(each, value, path) for each in some]
            if all(found):
                faults.invalid(path, "", f'"{path}" must validate at least one schema (anyOf)')
                faults.causes.extend(_best(found))
        if one:
            found = [_causes(each, value, path) for each in one]
            fitting = sum(not causes for causes in found)
            if fitting != 1:
                what = f"Found {fitting} valid alternatives" if fitting else "Found none valid"
                faults.invalid(path, "", f'"{path}" must validate one and only one schema (oneOf). {what}')
            if not fitting:
                faults.causes.extend(_best(found))
        if every:
            missed = [causes for each in every if (causes := _causes(each, value, path))]
            for causes in missed:
                faults.causes.extend(causes)
            if missed:
                what = "None validated" if len(missed) == len(every) else ""
                text = f'"{path}" must validate all the schemas (allOf)'
                faults.invalid(path, "", f"{text}. {what}" if what else text)
        if none and not _causes(none, value, path):
            faults.invalid(path, "", f'"{path}" must not validate the schema (not)')

    return look


def _best(found: list[list[Cause]]) -> list[Cause]:
    """What speaks against the alternative that comes nearest."""
    return min(found, key=lambda causes: len(causes))


def _causes(look: Look, value: Any, path: str) -> list[Cause]:
    own = Faults()
    look(value, ABSENT, path, own)
    return own.causes
