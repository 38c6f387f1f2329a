"""Quantities in CEL: amounts of resources, such as 500m or 1Gi, kept as a number of billionths.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.objects.quantity import NANO, nanos
from app.schemas.cel_value import Overload

_FIELD = "quantity"


def _kept(amount: int) -> dict[str, str]:
    # As text: billionths of large amounts are more than CEL's integers hold.
    return {_FIELD: str(amount)}


def _fits(text: str) -> bool:
    try:
        nanos(text)
    except ValueError:
        return False
    return True


def _of(value: Any) -> int:
    if isinstance(value, int):
        return value * NANO
    if _FIELD not in value:
        raise ValueError("no such overload")
    return int(value[_FIELD])


def _integer(value: Any) -> int:
    whole, rest = divmod(_of(value), NANO)
    if rest:
        raise ValueError("cannot convert value to integer")
    return whole


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)


def _two(result: str, work: Callable[[int, int], Any], *others: str) -> list[Overload]:
    return [
        Overload(("map", other), result, lambda a, b: work(_of(a), _of(b)), member=True)
        for other in ("map", *others)
    ]


def _one(result: str, work: Callable[[Any], Any]) -> list[Overload]:
    return [Overload(("map",), result, work, member=True)]


QUANTITY: dict[str, list[Overload]] = {
    "quantity": [Overload(("string",), "map", lambda text: _kept(nanos(text)))],
    "isQuantity": [Overload(("string",), "bool", _fits)],
    "isInteger": _one("bool", lambda value: _of(value) % NANO == 0),
    "asInteger": _one("int", _integer),
    "asApproximateFloat": _one("double", lambda value: _of(value) / NANO),
    "sign": _one("int", lambda value: _sign(_of(value))),
    "isGreaterThan": _two("bool", lambda a, b: a > b),
    "isLessThan": _two("bool", lambda a, b: a < b),
    "compareTo": _two("int", lambda a, b: _sign(a - b)),
    "add": _two("map", lambda a, b: _kept(a + b), "int"),
    "sub": _two("map", lambda a, b: _kept(a - b), "int"),
}
