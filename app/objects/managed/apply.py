"""Server-side apply: a configuration laid over an object, field by field owned.

After sigs.k8s.io/structured-merge-diff merge/update.go (Apply).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.objects.change import Object
from app.objects.managed.conflicts import Conflict, Conflicts
from app.objects.managed.entries import Entries, Manager, ordered
from app.objects.managed.fields import set_of
from app.objects.managed.merge import merge
from app.objects.managed.prune import prune
from app.objects.managed.sets import EMPTY, Tree, intersection, leaves, paths, union
from app.objects.managed.shape import Shape
from app.objects.managed.states import States, Versions, ownable
from app.objects.managed.update import updated, without

BEFORE = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply makes.

    Attributes:
        obj: the object as it is to be, `managedFields` left out. entries: its managers.
        same: whether nothing changed, managers included.
    """

    obj: Object
    entries: Entries
    same: bool


@dataclass(frozen=True, slots=True)
class Apply:
    """One request to apply.

    Attributes:
        config: what is to hold; of it only what the path takes (no status, or nothing but it).
        manager: who applies. shape: of the objects. versions: finds objects in other versions.
        complete: makes of what was merged an object as it is stored: checked, with defaults. It may raise.
        force: take what is in conflict over from others.
    """

    config: Object
    manager: Manager
    shape: Shape
    versions: Versions
    complete: Callable[[Object], Object]
    force: bool = False

    def to(self, live: Object, entries: Entries, time: str) -> Applied:
        """Apply it to an object that exists. `entries` are its managers, `time` is now, RFC 3339.

        Raises:
            Conflicts: it would change what others own, and is not forced; and whatever `complete` raises.
        """
        if not entries:
            # Whoever wrote before anybody was kept account of.
            first = States(None, live, self.manager.version, self.versions)
            before = Manager(BEFORE, "Update", self.manager.version)
            entries = updated([], first, before, time)
        others = [entry for entry in entries if not self.manager.owns(entry)]
        last = next((entry for entry in entries if self.manager.owns(entry)), None)
        applied = self.fields()
        new = self.complete(self._pruned(merge(live, self.config, self.shape), last, others))
        states = States(live, new, self.manager.version, self.versions)
        if not self.force:
            found = _conflicts(others, states, applied)
            if found:
                raise Conflicts(found)
        left = without(others, states)
        same = (
            left is others
            and not any(states.own)
            and last is not None
            and (last["fieldsV1"], last["apiVersion"]) == (applied, self.manager.version)
        )
        if same:
            return Applied(new, entries, True)
        return Applied(new, ordered([*left, *self._own(applied, time)]), False)

    def new(self, time: str) -> Applied:
        """Apply it where there is no object yet."""
        return Applied(self.complete(self.config), self._own(self.fields(), time), False)

    def fields(self) -> Tree:
        """The fields that the configuration speaks of."""
        return set_of(ownable(self.config), self.shape)

    def _own(self, applied: Tree, time: str) -> Entries:
        return [self.manager.entry(applied, time)] if applied else []

    def _pruned(self, merged: Object, last: Object | None, others: Entries) -> Object:
        """What was merged, without what was applied last and is not any more."""
        if last is None:
            return merged
        # Here the object's name counts as owned: it keeps the metadata.
        owned = {self.manager.version: set_of(self.config, self.shape)}
        for entry in others:
            version = entry["apiVersion"]
            owned[version] = union(owned.get(version, EMPTY), entry["fieldsV1"])
        return prune(merged, last, owned, self.versions, self.manager.version)


def _conflicts(others: Entries, states: States, applied: Tree) -> list[Conflict]:
    """What others own and would change, or go although the configuration speaks of it, as what it sets to null."""
    found = []
    for entry in others:
        differences = states.differences(entry["apiVersion"])
        if differences is None:
            continue
        gone = intersection(differences.removed, applied)
        taken = leaves(intersection(entry["fieldsV1"], union(differences.changed, gone)))
        found += [Conflict(entry, path) for path in paths(taken)]
    return found
