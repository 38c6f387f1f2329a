"""Expressions in CEL about a request: what they may name, and their values.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-expression
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from app.registry.admission.attributes import Attributes
from app.registry.admission.webhooks.review import described
from app.schemas.cel import CelError, Program, compile_expression

__all__ = ["CelError", "of_request", "value"]

# What expressions may name. `authorizer` asks who may do what, which can't be answered from here: to use it is an
# error when the expression is evaluated.
NAMES = (
    "authorizer",
    "namespaceObject",
    "object",
    "oldObject",
    "params",
    "request",
    "variables",
)
_TYPES = dict.fromkeys(NAMES, "dyn")


def of_request(attributes: Attributes) -> dict[str, Any]:
    """The values of what every expression may name."""
    return {
        "object": attributes.obj,
        "oldObject": attributes.old,
        "request": described(attributes, attributes.kind, ""),
        "authorizer": None,
        "namespaceObject": None,
        "params": None,
        "variables": {},
    }


def value(text: str, given: dict[str, Any], result: str = "") -> Any:
    """The value of an expression. Raises CelError."""
    return _program(text, result).evaluate(given)


@lru_cache(maxsize=2048)
def _program(text: str, result: str) -> Program:
    return compile_expression(text, _TYPES, result)
