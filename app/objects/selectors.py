"""Label selectors: the object form (`matchLabels`, `matchExpressions`), plain maps, and what both
and the string form (`app.objects.selector_text`) become.

Rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.base.errors import BadRequest
from app.objects.change import Object

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. `operator` is `=`, `!=`, `in`, `notin`, `exists`, `!`, `gt` or `lt`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "=" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        try:
            number, bound = int(value), int(self.values[0])
        except ValueError:
            return False
        return number > bound if self.operator == "gt" else number < bound

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "=" | "!=":
                return f"{self.key}{self.operator}{self.values[0]}"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{self.values[0]}"
            case _:
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"


@dataclass(frozen=True, slots=True)
class Selector:
    """All of `requirements` must hold; none at all holds for everything. `nothing` holds for nothing.
    In text form it is what `status.selector` of a scale carries."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @property
    def everything(self) -> bool:
        return not self.requirements and not self.nothing

    def matches(self, labels: Labels) -> bool:
        return not self.nothing and all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(r) for r in sorted(self.requirements, key=lambda r: r.key))


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def of_label_selector(selector: Object | None) -> Selector:
    """The selector of a LabelSelector object. An empty one selects everything, an absent one nothing.

    Raises:
        BadRequest: an operator is unknown, or has too few or too many values.
    """
    if selector is None:
        return NOTHING
    equal = _equal((selector.get("matchLabels") or {}).items())
    expressions = selector.get("matchExpressions")
    if not expressions:
        return equal
    return Selector(equal.requirements + tuple(_of_expression(e) for e in expressions))


def _equal(pairs: Iterable[tuple[str, str]]) -> Selector:
    return Selector(tuple(Requirement(key, "=", (value,)) for key, value in pairs))


def _of_expression(expression: Mapping[str, Any]) -> Requirement:
    name = expression.get("operator")
    operator = _OPERATORS.get(str(name))
    values = tuple(expression.get("values") or ())
    if operator is None:
        raise BadRequest(f'"{name}" is not a valid label selector operator')
    if operator in ("in", "notin") and not values:
        raise BadRequest("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
    if operator in ("exists", "!") and values:
        raise BadRequest("values: Invalid value: values set must be empty for exists and does not exist")
    return Requirement(str(expression.get("key", "")), operator, values)
