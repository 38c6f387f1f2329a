"""Two states of an object in whatever version a manager's fields speak of, and what differs between them."""

from __future__ import annotations

from collections.abc import Callable

from app.objects.change import Object
from app.objects.managed.compare import Blank, Differences, compare
from app.objects.managed.shape import Shape

# What nobody owns: the object's identity, and what the API itself keeps in its metadata
# (k8s.io/apimachinery pkg/util/managedfields/internal/stripmeta.go).
_NOBODYS = frozenset({"apiVersion", "kind"})
NOBODYS_META = frozenset({
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "name",
    "namespace", "resourceVersion", "selfLink", "uid",
})  # fmt: skip

# An object in the version asked for, with the shape it has there; None for a version that is not served.
Versions = Callable[[Object, str], "tuple[Object, Shape] | None"]


def ownable(obj: Object) -> Object:
    """The object without what nobody owns."""
    rest = {name: value for name, value in obj.items() if name not in _NOBODYS}
    meta = obj.get("metadata")
    if meta:
        kept = {name: value for name, value in meta.items() if name not in NOBODYS_META}
        if kept:
            rest["metadata"] = kept
        else:
            del rest["metadata"]
    return rest


class States:
    """The states before and after a write; before a create there is none.

    Args:
        version: the one that both are in. versions: finds them in others.
    """

    def __init__(self, old: Object | None, new: Object, version: str, versions: Versions) -> None:
        self._old = old
        self._new = new
        self._versions = versions
        self._known: dict[str, Differences | None] = {}
        self.version = version

    def differences(self, version: str) -> Differences | None:
        """What differs, in the terms of a version; None if it is not served (any more)."""
        if version not in self._known:
            self._known[version] = self._compared(version)
        return self._known[version]

    @property
    def own(self) -> Differences:
        """What differs in the version of the write itself."""
        found = self.differences(self.version)
        assert found is not None
        return found

    def _compared(self, version: str) -> Differences | None:
        new = self._versions(self._new, version)
        if new is None:
            return None
        obj, shape = new
        if self._old is None:
            return compare({**shape.blank, "metadata": Blank()}, ownable(obj), shape)
        old = self._versions(self._old, version)
        return None if old is None else compare(ownable(old[0]), ownable(obj), shape)
