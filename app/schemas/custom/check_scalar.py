"""What a schema says of strings and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.objects.change import Object
from app.schemas.custom.formats import CHECKS
from app.schemas.expressions import compiled
from app.schemas.faults import Faults, shown

ScalarCheck = Callable[[Any, str, Faults], None]


def string_checks(schema: Object) -> list[ScalarCheck]:
    """What strings must fulfil."""
    checks: list[ScalarCheck] = []
    most, least, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if most is not None:

        def not_longer(value: str, path: str, faults: Faults) -> None:
            if len(value) > most:
                faults.too_long(path, most)

        checks.append(not_longer)
    if least is not None:

        def not_shorter(value: str, path: str, faults: Faults) -> None:
            if len(value) < least:
                faults.invalid(path, value, f"{path} in body should be at least {least} chars long")

        checks.append(not_shorter)
    if pattern:
        # The expressions of Go, in time that grows with the text only.
        expression = compiled(pattern)

        def in_form(value: str, path: str, faults: Faults) -> None:
            if expression.search(value.encode("utf-8", "replace").decode()) is None:
                faults.invalid(path, value, f"{path} in body should match '{pattern}'")

        checks.append(in_form)
    name = schema.get("format", "")
    known = CHECKS.get(name.replace("_", "").lower() if name not in CHECKS else name)
    if known:

        def in_format(value: str, path: str, faults: Faults) -> None:
            if not known(value):
                text = f"{path} in body must be of type {name}: {shown(value)}"
                faults.of_wrong_type(path, value, text)

        checks.append(in_format)
    return checks


def number_checks(schema: Object) -> list[ScalarCheck]:
    """What numbers must fulfil."""
    checks: list[ScalarCheck] = []
    most, least, step = schema.get("maximum"), schema.get("minimum"), schema.get("multipleOf")
    if most is not None:
        below = bool(schema.get("exclusiveMaximum"))

        def not_more(value: float, path: str, faults: Faults) -> None:
            if value > most or (below and value == most):
                word = "less than" if below else "less than or equal to"
                faults.invalid(path, value, f"{path} in body should be {word} {_number(most)}")

        checks.append(not_more)
    if least is not None:
        above = bool(schema.get("exclusiveMinimum"))

        def not_less(value: float, path: str, faults: Faults) -> None:
            if value < least or (above and value == least):
                word = "greater than" if above else "greater than or equal to"
                faults.invalid(path, value, f"{path} in body should be {word} {_number(least)}")

        checks.append(not_less)
    if step:

        def in_steps(value: float, path: str, faults: Faults) -> None:
            if isinstance(value, int) and isinstance(step, int):
                fits = value % step == 0
            else:
                fits = (value / step).is_integer()
            if not fits:
                faults.invalid(path, value, f"{path} in body should be a multiple of {_number(step)}")

        checks.append(in_steps)
    name = schema.get("format")
    limit = {"int32": 2**31, "int64": 2**63}.get(name or "")
    if limit and schema.get("type") in ("integer", "number"):

        def in_range(value: float, path: str, faults: Faults) -> None:
            if not -limit <= value < limit:
                faults.of_wrong_type(path, value, f"{path} in body must be of type {name}: {shown(value)}")

        checks.append(in_range)
    return checks


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)
