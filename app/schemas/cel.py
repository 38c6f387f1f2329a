"""CEL, the Common Expression Language: expressions that users give, compiled and evaluated.

`compile_expression(text, variables, result)` gives a `Program`, whose `evaluate({"object": ..., ...})` gives plain
Python values. Both raise `CelError`, with a message for people. For rules of custom resources, `matchConditions` of
webhooks and admission policies alike:

    program = compile_expression("object.spec.replicas <= 5", {"object": "dyn"}, "bool")
    program.evaluate({"object": pod})          # True, False, or CelError

The library is that of CEL's authors (cel-expr-python); the functions that Kubernetes adds are in `cel_functions`.
https://kubernetes.io/docs/reference/using-api/cel/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

# Longer expressions are refused; Kubernetes bounds what they cost instead.
LONGEST = 5 * 1024
_MISSING_KEY = re.compile(r'NOT_FOUND: Key not found in map : "?(.*?)"?$')


class CelError(Exception):
    """An expression can't be compiled, or its evaluation failed."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression; may be evaluated any number of times, by any thread."""

    text: str
    _expression: Any
    _error: Any

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Its value, with these values of its variables: JSON, or datetime, timedelta and bytes.

        Raises:
            CelError: it has none, such as `no such key: x`.
        """
        try:
            found = self._expression.eval(data=dict(variables))
            failed = found.type() == self._error
            value = found.value() if failed else found.plain_value()
        except (RuntimeError, ValueError, TypeError, OverflowError) as exc:
            raise CelError(_said(str(exc))) from exc
        if failed:
            raise CelError(_said(str(value)))
        return value


def compile_expression(text: str, variables: Mapping[str, str], result: str = "") -> Program:
    """The program of an expression.

    Args:
        variables: the type of each: dyn, bool, int, double, string, bytes, timestamp, duration, list or map.
        result: the type it must have, or "" for any. What is only known when it is evaluated passes.

    Raises:
        CelError: it is no CEL, uses what there is not, or has another type.
    """
    if len(text) > LONGEST:
        raise CelError(f"the expression is longer than {LONGEST} characters")
    types = _types()
    try:
        expression = _environment(tuple(sorted(variables.items()))).compile(text)
    except (RuntimeError, ValueError, UnicodeError) as exc:
        raise CelError(_compile_fault(str(exc))) from exc
    if result and expression.return_type() not in (types[result], types["dyn"]):
        raise CelError(f"must evaluate to {result}")
    return Program(text, expression, _library().Type.ERROR)


@cache
def _library() -> ModuleType:
    # Imported with the first expression: it takes 25 MB, which processes without any can do without.
    from cel_expr_python import cel

    return cel


@cache
def _types() -> dict[str, Any]:
    kinds = _library().Type
    return {
        "dyn": kinds.DYN,
        "bool": kinds.BOOL,
        "int": kinds.INT,
        "double": kinds.DOUBLE,
        "string": kinds.STRING,
        "bytes": kinds.BYTES,
        "timestamp": kinds.TIMESTAMP,
        "duration": kinds.DURATION,
        "list": kinds.List(kinds.DYN),
        "map": kinds.Map(kinds.STRING, kinds.DYN),
    }


@cache
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

    return _library().NewEnv(
        variables={name: _types()[kind] for name, kind in variables},
        extensions=[
            ext_strings.ExtStrings(),
            ext_optional.ExtOptional(),
            ext_math.ExtMath(),
            ext_encoders.ExtEncoders(),
            ext_bindings.ExtBindings(),
            _library().CelExtension("kubernetes", _functions()),
        ],
    )


def _functions() -> list[Any]:
    from app.schemas.cel_functions import FUNCTIONS

    cel, types = _library(), _types()
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"{name}_{i}",
                    return_type=types[overload.result],
                    parameters=[types[parameter] for parameter in overload.parameters],
                    is_member=overload.member,
                    impl=overload.work,
                )
                for i, overload in enumerate(overloads)
            ],
        )
        for name, overloads in FUNCTIONS.items()
    ]


def _said(text: str) -> str:
    """An error of evaluation in the words of CEL for Go, which people know from Kubernetes."""
    missing = _MISSING_KEY.search(text)
    if missing:
        return f"no such key: {missing[1]}"
    if "No matching overloads" in text:
        return f"no such overload: {text.rpartition(': ')[2]}"
    if "divide by zero" in text:
        return "division by zero"
    return text.partition(": ")[2] or text


def _compile_fault(text: str) -> str:
    return "compilation failed: " + text.removeprefix("INVALID_ARGUMENT: ").removesuffix(
        " [INVALID_ARGUMENT]"
    )
