"""Resync: with every hint lost, the cluster still converges, because every key is looked at now and then."""

from __future__ import annotations

from collections.abc import Iterable

from app.base.ids import Ids
from app.bus.routing import Looks
from app.bus.work import Delayed, Work
from app.objects.change import ReadView, Trace


def everything(roles: Iterable[Looks], view: ReadView, trace: Trace) -> list[Work]:
    """All keys of all roles."""
    return [Work(role.name, key, trace) for role in roles for key in role.keys(view)]


def spread(work: list[Work], now: float, interval: float, ids: Ids) -> list[Delayed]:
    """`work` spread evenly over the `interval` seconds from `now` on, beginning at a random place, so that
    nothing comes in one burst and no key always comes first."""
    if not work:
        return []
    step = interval / len(work)
    shift = int(ids.fraction() * len(work))
    return [Delayed(item, now + step * ((place + shift) % len(work) + 1)) for place, item in enumerate(work)]
