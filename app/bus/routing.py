"""Routing: which work a change makes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from app.bus.work import Work
from app.objects.change import NOBODY, Change, Interest, Object, ReadView, Trace


class Looks(Protocol):
    """A role, as far as finding work for it goes (see `workers.reconcile.plan.Role`)."""

    @property
    def name(self) -> str: ...

    @property
    def interests(self) -> tuple[Interest, ...]: ...

    @property
    def keys(self) -> Callable[[ReadView], list[str]]: ...


_Interested = tuple[str, Interest]


class Router:
    """The interests of all roles, by resource."""

    def __init__(self, roles: Iterable[Looks]) -> None:
        self._interests: dict[str, list[_Interested]] = {}
        # By resource and the kind of what holds its objects.
        self._of_holders: dict[str, dict[str, list[_Interested]]] = {}
        for role in roles:
            for interest in role.interests:
                if interest.holder is None:
                    found = self._interests.setdefault(interest.resource, [])
                else:
                    by_holder = self._of_holders.setdefault(interest.resource, {})
                    found = by_holder.setdefault(interest.holder, [])
                found.append((role.name, interest))
        self._of_all = self._interests.get("*", [])

    def route(self, change: Change, view: ReadView) -> list[Work]:
        """The work that one change makes; it carries on the change's trace. Resource `*` in an interest
        stands for every resource."""
        trace = Trace(change.trace.id, change.revision)
        found = [*self._interests.get(change.resource, ()), *self._of_all]
        by_holder = self._of_holders.get(change.resource)
        if by_holder:
            for holder in _holders(change):
                found += by_holder.get(holder, ())
        return [Work(name, key, trace) for name, interest in found for key in interest.keys(change, view)]

    def route_all(self, changes: Sequence[Change], view: ReadView) -> list[Work]:
        """The work of many changes, each `(role, key)` once, with the trace of the newest of its causes."""
        merged: dict[tuple[str, str], Work] = {}
        for change in changes:
            for work in self.route(change, view):
                merged[work.role, work.key] = work
        return list(merged.values())


def _holders(change: Change) -> set[str]:
    """The kinds of the controllers that hold the object, and that held it before the change."""
    new, old = change.new, change.old
    holders = {_holder(new)}
    if old is not None:
        holders.add(_holder(old))
    return holders


def _holder(obj: Object) -> str:
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["kind"])
    return NOBODY


def route(change: Change, view: ReadView, roles: Iterable[Looks]) -> list[Work]:
    """The work that one change makes for `roles`, doubles merged."""
    return Router(roles).route_all([change], view)
