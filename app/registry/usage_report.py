"""What an agent reports that its node and pods use, checked for its shape."""

from __future__ import annotations

from typing import Any

from app.base.errors import BadRequest
from app.objects.change import Object

# Numbers are of a machine, and not of the universe: cpus in billionths, bytes, seconds.
MOST = 1 << 62
LONGEST = 1e6


def read(raw: Any) -> Object | None:
    """The report as it is kept (see `app.objects.usage.Usage`), but for `age` in seconds in place of `at`; None if
    there is none.

    Raises:
        BadRequest: it is none.
    """
    if raw is None:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("pods"), list):
        raise BadRequest("exchange.usage must be an object with a list of pods")
    return {
        "age": _span(raw, "age"),
        "window": _span(raw, "window"),
        "cpu": _amount(raw.get("cpu")),
        "memory": _amount(raw.get("memory")),
        "pods": dict(_pod(pod) for pod in raw["pods"]),
    }


def _pod(raw: Any) -> tuple[str, Object]:
    if not isinstance(raw, dict) or not isinstance(raw.get("uid"), str):
        raise BadRequest("exchange.usage.pods must be objects with a uid")
    containers = raw.get("containers")
    if not isinstance(containers, dict):
        raise BadRequest("exchange.usage.pods[].containers must be an object")
    return raw["uid"], {
        "window": _span(raw, "window"),
        "containers": {k: _pair(v) for k, v in containers.items()},
    }


def _pair(raw: Any) -> list[int]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise BadRequest("exchange.usage.pods[].containers must have cpu and memory")
    return [_amount(each) for each in raw]


def _amount(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST:
        raise BadRequest("exchange.usage: what is used must be a whole number that is not negative")
    return value


def _span(raw: Object, name: str) -> float:
    value: Any = raw.get(name)
    # NaN is between nothing.
    if type(value) not in (int, float) or not 0 <= value <= LONGEST:
        raise BadRequest(f"exchange.usage.{name} must be a number of seconds")
    return float(value)
