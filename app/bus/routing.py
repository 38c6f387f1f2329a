"""Routing: which work a change makes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from app.bus.work import Work
from app.objects.change import Change, Interest, ReadView, Trace


class Looks(Protocol):
    """A role, as far as finding work for it goes (see `workers.reconcile.plan.Role`)."""

    @property
    def name(self) -> str: ...

    @property
    def interests(self) -> tuple[Interest, ...]: ...

    @property
    def keys(self) -> Callable[[ReadView], list[str]]: ...


class Router:
    """The interests of all roles, by resource."""

    def __init__(self, roles: Iterable[Looks]) -> None:
        self._interests: dict[str, list[tuple[str, Interest]]] = {}
        for role in roles:
            for interest in role.interests:
                self._interests.setdefault(interest.resource, []).append((role.name, interest))

    def route(self, change: Change, view: ReadView) -> list[Work]:
        """The work that one change makes; it carries on the change's trace. Resource `*` in an interest
        stands for every resource."""
        trace = Trace(change.trace.id, change.revision)
        found = [*self._interests.get(change.resource, ()), *self._interests.get("*", ())]
        return [Work(name, key, trace) for name, interest in found for key in interest.keys(change, view)]

    def route_all(self, changes: Sequence[Change], view: ReadView) -> list[Work]:
        """The work of many changes, each `(role, key)` once, with the trace of the newest of its causes."""
        merged: dict[tuple[str, str], Work] = {}
        for change in changes:
            for work in self.route(change, view):
                merged[work.role, work.key] = work
        return list(merged.values())


def route(change: Change, view: ReadView, roles: Iterable[Looks]) -> list[Work]:
    """The work that one change makes for `roles`, doubles merged."""
    return Router(roles).route_all([change], view)
