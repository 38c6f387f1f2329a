"""Terms that every room shares: a write that is asked for, a change that happened, and what can be
read of the cluster at one revision.

A *resource* is written as Kubernetes writes a GroupResource: `pods`, `deployments.apps`.
A *key* is `namespace/name`, or `name` for what lives in no namespace.
A *revision* is the cluster-wide number that every commit draws; an object's
`metadata.resourceVersion` is the revision of the commit that last wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Object = dict[str, Any]
Objects = list[Object]
Keys = list[str]


class Verb(StrEnum):
    """What a write does. A `delete` removes the object for good; the gentle way there, with
    deletionTimestamp and finalizers, is an `update` (see `app.objects.deletion`)."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Bind:
    """The precondition of a scheduler's decision: no other batch has bound to `node` since
    `revision`, the revision of the view on which the decision was made."""

    node: str
    revision: int


@dataclass(frozen=True, slots=True)
class Guard:
    """The precondition of an admission: since `revision`, that of the view on which the write was admitted, no
    rule of the cluster or of `namespace` was changed (see `app.objects.rules`).

    If the write uses up some of the namespace's quota, `counted` is the revision of the view on which its usage was
    counted, and no other batch may have been charged there since.
    """

    namespace: str
    revision: int
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One write asked of the store.

    Attributes:
        obj: the whole object; `metadata.resourceVersion` in it is ignored and set by the commit.
            For a delete: the last state, which watchers see.
        expect: for update and delete, the revision that the stored object must have; `None` accepts
            any. A create always expects that there is none.
        bind: see `Bind`.
        claims: names that this write takes, each of which one object at a time may hold, for example
            `clusterIP/10.96.0.7`. Rejected if another object holds one. `releases`: names it gives up.
        within: a namespace that must be there and not on its way out, or "".
        guard: see `Guard`.
        status_only: nothing but the status changes, so that no admission decided on the former state is in doubt.
    """

    verb: Verb
    resource: str
    key: str
    obj: Object
    expect: int | None = None
    bind: Bind | None = None
    claims: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    within: str = ""
    guard: Guard | None = None
    status_only: bool = False


def key_of(obj: Object) -> str:
    """The key of an object that has a name."""
    meta = obj["metadata"]
    namespace = meta.get("namespace")
    return f"{namespace}/{meta['name']}" if namespace else str(meta["name"])


def split_key(key: str) -> tuple[str, str]:
    """`(namespace, name)` of a key; the namespace is empty for what lives in none."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def revision_of(obj: Object) -> int:
    """The revision an object was last written at; 0 if it was never written."""
    return int(obj["metadata"].get("resourceVersion") or 0)


def create(
    resource: str, obj: Object, *, claims: Iterable[str] = (), within: str = "", guard: Guard | None = None
) -> Write:
    """A write that creates `obj`. With `metadata.generateName` and no name, the key stays empty and
    whoever commits draws the name."""
    key = key_of(obj) if obj["metadata"].get("name") else ""
    return Write(Verb.CREATE, resource, key, obj, claims=tuple(claims), within=within, guard=guard)


def update(resource: str, obj: Object, *, bind: Bind | None = None) -> Write:
    """A write that replaces the object that `obj` was made from: it is rejected if somebody else
    wrote in between."""
    return Write(Verb.UPDATE, resource, key_of(obj), obj, expect=revision_of(obj), bind=bind)


def delete(resource: str, obj: Object, *, releases: Iterable[str] = ()) -> Write:
    """A write that removes `obj` for good, if it is still as it was read."""
    return Write(Verb.DELETE, resource, key_of(obj), obj, expect=revision_of(obj), releases=tuple(releases))


class Operation(StrEnum):
    """What a log entry says happened; the words of the watch protocol."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Trace:
    """Why something happens: `id` is one per request from outside, and is handed on to all that
    follows from it; `cause` is the revision of the change that led here (0 for the request itself)."""

    id: str
    cause: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log, with what was there before.

    `old` is None for what was added, and where the former state is no longer known. `new` is the
    object after the change; for DELETED it is the last state.
    `at` is the time of the commit, in seconds since the epoch.
    """

    revision: int
    operation: Operation
    resource: str
    key: str
    old: Object | None
    new: Object
    actor: str = ""
    trace: Trace = Trace("")
    at: float = 0.0


class ReadView(Protocol):
    """The cluster at one revision, as plans see it. What it hands out must not be changed."""

    @property
    def revision(self) -> int:
        """The revision up to which the log is folded in."""
        ...

    def get(self, resource: str, key: str) -> Object | None:
        """The object, or None."""
        ...

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """All objects of a resource, or those of one namespace, in the order of their keys."""
        ...

    def keys(self, resource: str, namespace: str | None = None) -> Keys:
        """The keys of `list`, in the same order."""
        ...

    def owned(self, resource: str, uid: str) -> Objects:
        """The objects of a resource that name `uid` in their ownerReferences."""
        ...

    def dependents(self, uid: str) -> Sequence[tuple[str, str]]:
        """`(resource, key)` of every object of any resource that names `uid` as an owner."""
        ...

    def on_node(self, node: str) -> Objects:
        """The pods with `spec.nodeName == node`; with an empty name, those bound to none."""
        ...

    def any_on(self, node: str) -> bool:
        """Whether there is one that `on_node` returns, without making a list of thousands that wait."""
        ...

    def resources(self) -> Keys:
        """The resources of which there is at least one object."""
        ...


@dataclass(frozen=True, slots=True)
class Interest:
    """Which work a change of `resource` makes: `keys(change, view)` names the keys to look at.

    `holder`: only objects that a controller of this kind holds or held are of interest (`NOBODY`: that none does or
    did). Most changes are of pods, in which a dozen roles have an interest, and nearly every pod is held by somebody.
    """

    resource: str
    keys: Callable[[Change, ReadView], Iterable[str]]
    holder: str | None = None


# The holder of what no controller holds.
NOBODY = ""
