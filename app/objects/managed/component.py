"""What the control plane's own components change: controllers, schedulers, agents."""

from __future__ import annotations

from collections.abc import Callable

from app.base.clock import rfc3339
from app.objects.change import Object
from app.objects.managed.entries import Manager
from app.objects.managed.shape import Shape
from app.objects.managed.states import States
from app.objects.managed.update import updated
from app.objects.meta import with_meta


def by_component(old: Object, new: Object, shape: Callable[[], Shape], name: str, now: float) -> Object:
    """`new`, with its managers after a component called `name` made it of `old`. `now` in seconds.

    Statuses are not accounted for, and neither is anything of objects that carry no `managedFields`: most of what
    components write costs one look into a dictionary. All versions are taken to call a field the same.
    """
    entries = old["metadata"].get("managedFields")
    if not entries:
        return new
    before, after = _without_status(old), _without_status(new)
    if before == after:
        return new
    version = str(new.get("apiVersion") or "")
    states = States(before, after, version, lambda obj, _version: (obj, shape()))
    return with_meta(
        new, managedFields=updated(entries, states, Manager(name, "Update", version), rfc3339(now))
    )


def _without_status(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name != "status"}
