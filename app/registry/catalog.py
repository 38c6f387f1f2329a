"""The catalog: all kinds that are served, those of CustomResourceDefinitions too.

The latter follow from the definitions in the view. Whoever meets a path that the catalog doesn't know has it catch up
with the log before the answer is 404, so that a kind is served everywhere from the moment it is established. Of a
definition that is gone, nothing is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.objects.change import Object
from app.objects.deletion import DEFINITIONS
from app.schemas import kinds
from app.schemas.custom.kinds import Webhooks, kinds_of, priority
from app.schemas.kind import Kind
from app.store.view import View

# Where agents exchange, many times a second: there are no kinds to look for.
OWN_GROUP = "agent.beanpole.dev"
# What the kinds of a definition depend on: its uid, generation, conditions and names.
_Stamp = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Served:
    """The kinds of all definitions at one time. `made`: those of each, with what they were made of."""

    version: object
    made: dict[str, tuple[_Stamp, tuple[Kind, ...]]]
    by_path: dict[tuple[str, str, str], Kind]
    memo: dict[object, Any]


class Catalog:
    """The kinds that a view's cluster has. For any number of threads."""

    def __init__(self, view: View, webhooks: Webhooks) -> None:
        self._view = view
        self._webhooks = webhooks
        self._lock = threading.Lock()
        self._served = _Served(None, {}, {}, {})

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind `/apis/<group>/<version>/<plural>`. Raises StoreUnavailable for one that isn't known, if
        nobody can be asked about it."""
        known = kinds.by_path(group, version, plural)
        if known is not None or not group or group == OWN_GROUP:
            return known
        place = (group, version, plural)
        found = self._current().by_path.get(place)
        if found is None:
            self._view.catch_up()
            found = self._current().by_path.get(place)
        return found

    def custom(self) -> list[Kind]:
        """The kinds of definitions, by group."""
        return list(self._current().by_path.values())

    def all(self) -> list[Kind]:
        """All kinds."""
        return [*kinds.ALL, *self.custom()]

    def of_version(self, group: str, version: str) -> list[Kind]:
        """All kinds of one version of a group."""
        return [kind for kind in self.all() if (kind.group, kind.version) == (group, version)]

    def by_kind(self, group: str, kind: str) -> Kind | None:
        """The kind that objects call themselves by."""
        known = kinds.by_kind(group, kind)
        return known or next((k for k in self.custom() if (k.group, k.kind) == (group, kind)), None)

    def catch_up(self) -> None:
        """See what was committed up to now. Raises StoreUnavailable."""
        self._view.catch_up()

    def remembered(self, key: object, make: Callable[[], Any]) -> Any:
        """What `make` makes of the kinds, made once until they change: documents about them."""
        memo = self._current().memo
        if key not in memo:
            memo[key] = make()
        return memo[key]

    def _current(self) -> _Served:
        version = self._view.version(DEFINITIONS)
        served = self._served
        if served.version == version:
            return served
        with self._lock:
            return self._refreshed()

    def _refreshed(self) -> _Served:
        before = self._served
        with self._view.lock:
            version = self._view.version(DEFINITIONS)
            definitions = {record.key: record.obj for record in self._view.records(DEFINITIONS)}
        if version == before.version:
            return before
        made = {}
        for name, definition in definitions.items():
            stamp = _stamp(definition)
            known = before.made.get(name)
            if known is None or known[0] != stamp:
                known = (stamp, kinds_of(definition, self._webhooks))
            made[name] = known
        found = [kind for _, each in made.values() for kind in each]
        found.sort(key=lambda kind: (kind.group, priority(kind.version)))
        by_path = {(kind.group, kind.version, kind.plural): kind for kind in found}
        same = made.keys() == before.made.keys() and all(made[n][1] is before.made[n][1] for n in made)
        self._served = served = _Served(version, made, by_path, before.memo if same else {})
        return served


def _stamp(definition: Object) -> _Stamp:
    meta, status = definition["metadata"], definition.get("status") or {}
    told = [(each.get("type"), each.get("status")) for each in status.get("conditions") or ()]
    return (
        meta["uid"], meta.get("generation"), bool(meta.get("deletionTimestamp")), told,
        status.get("acceptedNames"), status.get("storedVersions"),
    )  # fmt: skip
