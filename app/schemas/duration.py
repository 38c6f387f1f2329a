"""Ages as kubectl prints them: k8s.io/apimachinery/pkg/util/duration, HumanDuration."""

from __future__ import annotations

from app.base.clock import parse_rfc3339

UNKNOWN = "<unknown>"


def human(seconds: float) -> str:
    """About three digits of a span of time: `45s`, `5m30s`, `3h5m`, `2d4h`, `300d`, `2y30d`."""
    if seconds <= -2:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    whole = int(seconds)
    if whole < 120:
        return f"{whole}s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def since(moment: str | None, now: float) -> str:
    """The time from an RFC 3339 `moment` until `now`; `<unknown>` where there is no such moment."""
    if not moment:
        return UNKNOWN
    try:
        return human(now - parse_rfc3339(moment))
    except ValueError:
        return UNKNOWN
