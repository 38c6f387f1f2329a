"""Records of a resource as they were at an earlier revision, worked back from a view's history."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.base.errors import LogTrimmed
from app.objects.change import Operation
from app.store.records import LoggedChange, Record
from app.store.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable


def records_at(view: View, resource: str, namespace: str, revision: int) -> list[Record]:
    """The records in the order of their keys, as they were at `revision`. Hold `view.lock`.

    Raises:
        LogTrimmed: the view's history does not reach back so far.
    """
    # Newest first, so that what is left in the end is what stood before the oldest change.
    before: dict[str, Record | None] = {}
    for change in reversed(_logged(view, revision)):
        if change.resource != resource:
            continue
        if namespace and change.key.partition("/")[0] != namespace:
            continue
        if change.before is None and change.operation is not Operation.ADDED:
            raise LogTrimmed(f"what {change.key} was at revision {revision} is no longer known")
        before[change.key] = change.before
    now = view.records(resource, namespace or None)
    if not before:
        return now
    kept = {record.key: record for record in now if record.key not in before}
    kept.update((key, record) for key, record in before.items() if record is not None)
    return [kept[key] for key in sorted(kept)]


def _logged(view: View, revision: int) -> list[LoggedChange]:
    changes: Iterable[object] = view.changes_since(revision)
    return cast("list[LoggedChange]", list(changes))
