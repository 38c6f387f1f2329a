"""How a role says which changes concern it, in the words of controller-runtime: an object itself,
what it owns, and what it otherwise watches.

A change is looked at with its state before and after: a pod that lost a label concerns whoever
selected it until then. `when` keeps changes out that can't matter, for a busy cluster changes
thousands of objects a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.objects.change import Change, Interest, Object, Operation, ReadView, split_key

When = Callable[[Change], bool]


def always(change: Change) -> bool:
    return True


def itself(resource: str, when: When = always) -> Interest:
    """A change of the object is work on the object."""

    def keys(change: Change, view: ReadView) -> Iterable[str]:
        return (change.key,) if when(change) else ()

    return Interest(resource, keys)


def owns(resource: str, owner_kind: str, when: When = always) -> Interest:
    """A change of the object is work on the object of `owner_kind` that controls or controlled it."""

    def keys(change: Change, view: ReadView) -> Iterable[str]:
        # Most changes are of what others own, which is quicker to see than what of it changed.
        given = change.new["metadata"].get("ownerReferences")
        names = _controllers(given, owner_kind) if given else set()
        if change.old is not None:
            before = change.old["metadata"].get("ownerReferences")
            if before and before != given:
                names |= _controllers(before, owner_kind)
        if not names or not when(change):
            return ()
        namespace, _ = split_key(change.key)
        return [f"{namespace}/{name}" for name in names]

    return Interest(resource, keys, owner_kind)


def _controllers(references: Iterable[Object], kind: str) -> set[str]:
    return {ref["name"] for ref in references if ref["kind"] == kind and ref.get("controller")}


def watches(
    resource: str, find: Callable[[Object, ReadView], Iterable[str]], when: When = always, *,
    among: str = "", holder: str | None = None,
) -> Interest:  # fmt: skip
    """A change of the object is work on whatever `find` names for its state before or after.

    `among` is the resource of which `find` names objects in the object's namespace, for a quick look whether there
    are any. `holder`: see `Interest`.
    """

    def keys(change: Change, view: ReadView) -> Iterable[str]:
        if among and not view.keys(among, split_key(change.key)[0]):
            return ()
        if not when(change):
            return ()
        return {key for state in states(change) for key in find(state, view)}

    return Interest(resource, keys, holder)


def states(change: Change) -> tuple[Object, ...]:
    """The object before the change, where known, and after it."""
    return (change.new,) if change.old is None else (change.old, change.new)


def declared(obj: Object) -> object:
    """What people say of an object, for `unless_same`: not its status, which its own role writes."""
    meta = obj["metadata"]
    return obj["spec"], meta.get("deletionTimestamp"), meta.get("labels")


def unless_same(facts: Callable[[Object], object]) -> When:
    """Only changes that add or remove the object, or in which `facts` of it differ."""

    def when(change: Change) -> bool:
        if change.old is None or change.operation is not Operation.MODIFIED:
            return True
        return facts(change.old) != facts(change.new)

    return when
