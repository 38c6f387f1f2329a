"""What an update takes over: the fields it changes become the updater's, and nobody else's.

After k8s.io/apimachinery pkg/util/managedfields (fieldmanager.go, managedfieldsupdater.go, capmanagers.go).
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.managed.compare import Differences
from app.objects.managed.entries import Entries, Manager, capped, ordered
from app.objects.managed.sets import EMPTY, difference, union
from app.objects.managed.states import States


def updated(entries: Entries, states: States, manager: Manager, time: str) -> Entries:
    """The entries after an update; the very list that was given if it takes nothing from anybody and nothing for
    itself. Managers whose version is not served any more are forgotten.

    Args:
        states: before and after. time: of the update, RFC 3339; kept by the entry if it gets new fields.
    """
    own = states.own
    kept = without(entries, states)
    if not own.changed:
        return kept
    fields, others = own.changed, []
    for entry in kept:
        if manager.owns(entry):
            fields = union(entry["fieldsV1"], fields)
        else:
            others.append(entry)
    return capped(ordered([*others, manager.entry(fields, time)]))


def without(entries: Entries, states: States) -> Entries:
    """The entries without the fields that changed or went; the very list that was given if there were none."""
    result = None
    for i, entry in enumerate(entries):
        found = states.differences(entry["apiVersion"])
        left = EMPTY if found is None else _left(entry, found)
        if left is entry["fieldsV1"]:
            if result is not None:
                result.append(entry)
            continue
        if result is None:
            result = entries[:i]
        if left:
            result.append({**entry, "fieldsV1": left})
    return entries if result is None else result


def _left(entry: Object, found: Differences) -> dict[str, object]:
    return difference(difference(entry["fieldsV1"], found.changed), found.removed)
