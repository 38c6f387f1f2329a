"""Schedules of CronJobs: `*/5 * * * *`, `@hourly`, `@every 1h30m`.

The language, and the words for what is wrong, are those of the library that Kubernetes uses
(github.com/robfig/cron, `ParseStandard`): five fields, names of months and days, `?` for `*`, day 0 to 6.
When the next time is, cronsim says; a schedule is handed to it field by field, written out.

Times skipped when clocks go forward are made up for right afterwards, and times that come twice when they go
back are taken once, as in Debian's cron, unless minutes or hours are `*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
# Least and largest value of each field, and its names.
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]*\.?[0-9]+|[0-9]+\.)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due: at what `fields` say, or `every` so many seconds."""

    fields: str = ""
    every: int = 0

    def after(self, moment: float, zone: str = "") -> float | None:
        """The first time after `moment`, both in seconds since the epoch; None if there is none.

        Args:
            zone: name of the time zone the fields are meant in; UTC if empty.

        Raises:
            ValueError: there is no such time zone.
        """
        if self.every:
            return int(moment) + self.every
        try:
            return next(CronSim(self.fields, datetime.fromtimestamp(int(moment), _zone(zone)))).timestamp()
        except (CronSimError, StopIteration):
            return None


@lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """The schedule that `text` writes.

    Raises:
        ValueError: it writes none; in the words of the library that Kubernetes uses.
    """
    if not text:
        raise ValueError("empty spec string")
    if text.startswith("@"):
        if text.startswith(_EVERY):
            return Schedule(every=max(1, int(_seconds(text))))
        if text not in DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = DESCRIPTORS[text]
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    return Schedule(" ".join(_field(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)))


@lru_cache(maxsize=128)
def check_zone(name: str) -> None:
    """Raises ValueError if there is no time zone of that name."""
    _zone(name)


def _zone(name: str) -> tzinfo:
    if not name or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as exc:
        raise ValueError(f"unknown time zone {name}") from exc


def _seconds(text: str) -> float:
    duration = text.removeprefix(_EVERY)
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f'failed to parse duration {text}: time: invalid duration "{duration}"')
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _field(text: str, least: int, largest: int, names: dict[str, int]) -> str:
    """The field with every value written out, or `*`."""
    values: set[int] = set()
    star = False
    for term in filter(None, text.split(",")):
        found, any_value = _range(term, least, largest, names)
        values.update(found)
        star = star or any_value
    if star:
        return "*"
    return ",".join(str(value) for value in sorted(values))


def _range(text: str, least: int, largest: int, names: dict[str, int]) -> tuple[range, bool]:
    """The values of one term, and whether it is a plain `*`."""
    span, *steps = text.split("/")
    low, *highs = span.split("-")
    if len(highs) > 1:
        raise ValueError(f"too many hyphens: {text}")
    if low in ("*", "?"):
        start, end = least, largest
    else:
        start = _number(low, names)
        end = _number(highs[0], names) if highs else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = 1
    if steps:
        step = _number(steps[0], {})
        if not highs and low not in ("*", "?"):
            end = largest
    if start < least:
        raise ValueError(f"beginning of range ({start}) below minimum ({least}): {text}")
    if end > largest:
        raise ValueError(f"end of range ({end}) above maximum ({largest}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step), low in ("*", "?") and step == 1


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
