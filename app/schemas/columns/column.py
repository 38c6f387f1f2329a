"""The columns that most tables have, and the words for what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object
from app.schemas.duration import since
from app.schemas.kind import Column

NONE = "<none>"
UNSET = "<unset>"


def age(obj: Object, now: float) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


NAME = Column(
    "Name",
    "string",
    lambda obj, _: obj["metadata"].get("name", ""),
    format="name",
    description="Unique in its namespace among objects of the kind.",
)
AGE = Column("Age", "string", age, description="Time since the object was made.")

DEFAULT = (NAME, AGE)


def joined(parts: Iterable[str]) -> str:
    """The parts, or that there are none."""
    return ",".join(parts) or NONE


def pairs(labels: Object | None) -> str:
    """Labels as `app=web,tier=front`, sorted."""
    return joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def selector(label_selector: Object | None) -> str:
    """A LabelSelector as `app=web,tier in (a,b),!old`."""
    given = label_selector or {}
    parts = [f"{key}={value}" for key, value in (given.get("matchLabels") or {}).items()]
    for expression in given.get("matchExpressions") or ():
        key, operator = expression.get("key", ""), expression.get("operator")
        values = ",".join(sorted(expression.get("values") or ()))
        parts.append(
            {"Exists": key, "DoesNotExist": f"!{key}", "In": f"{key} in ({values})"}.get(
                operator, f"{key} notin ({values})"
            )
        )
    return joined(sorted(parts))
