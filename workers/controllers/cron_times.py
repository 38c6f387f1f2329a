"""Which run of a CronJob is due: the last time of its schedule that has come and was not served.

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from __future__ import annotations

from dataclasses import dataclass

from app.objects.cron import Schedule

# More than this is told: the clock may have jumped, or nobody looked for long.
MANY = 100


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, and when there is more; times in seconds since the epoch.

    Attributes:
        at: the last time that has come since the one served before; None if none has.
        missed: how many have come since, `at` among them; of many, about how many.
        next: the next time to come; None if there is none.
    """

    at: float | None
    missed: int
    next: float | None


def due(schedule: Schedule, zone: str, since: float, deadline: float | None, now: float) -> Due:
    """What is due after `since`, the time served last or that of the CronJob's creation.

    Args:
        deadline: seconds that a run may be late; what is older is not looked at. None: any.

    Raises:
        ValueError: there is no such time zone.
    """
    if deadline is not None:
        since = max(since, now - deadline)
    coming = schedule.after(now, zone)
    first = schedule.after(since, zone)
    if first is None or first > now:
        return Due(None, 0, coming)
    second = schedule.after(first, zone)
    if second is None or second > now:
        return Due(first, 1, coming)
    gap = max(1.0, second - first)
    missed = int((now - first) // gap) + 1
    # The times needn't be equally far apart, so the last one is looked for from some way before where it should be.
    last = _last(schedule, zone, max(first, first + (missed - 2) * gap), now)
    return Due(last if last is not None else _last(schedule, zone, first, now) or second, missed, coming)


def _last(schedule: Schedule, zone: str, since: float, now: float) -> float | None:
    """The last time after `since` up to now."""
    found = None
    at = schedule.after(since, zone)
    while at is not None and at <= now:
        found = at
        at = schedule.after(at, zone)
    return found
