"""Delete: one object, or a collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from app.base.errors import Conflict, Forbidden, NotFound, ServiceUnavailable, not_found, qualified
from app.objects import deletion
from app.objects.change import Object, Verb, Write
from app.objects.deletion import Propagation
from app.registry import admission, listing, read, statuses, versions
from app.registry.access import guard
from app.registry.request import DeleteOptions, ListOptions, Request
from app.schemas.kinds import Kind
from app.store.store import Committed

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How often a delete is tried again after another write came between.
ATTEMPTS = 32
# How many of a collection go in one pipeline.
BATCH = 500

# Deleting these answers with the object, others with a Status (`ReturnDeletedObject` in kubernetes/pkg/registry).
ANSWERED_WITH_OBJECT = frozenset(
    {
        "pods",
        "services",
        "serviceaccounts",
        "persistentvolumes",
        "persistentvolumeclaims",
        "resourcequotas",
        "podtemplates",
    }
)


# Deleting these leaves their dependents behind unless the client says otherwise (`DefaultGarbageCollectionPolicy`
# in kubernetes/pkg/registry/batch/job).
ORPHANING = frozenset({"jobs.batch"})
_PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)

# Without these, nothing works (NamespaceLifecycle in kubernetes/staging/src/k8s.io/apiserver).
IMMORTAL = ("default", "kube-system", "kube-public")


@dataclass(frozen=True, slots=True)
class Removed:
    """What a delete answers. `gone` is false while the object is only marked; `waiting`, if moreover
    the client said `orphanDependents: false` (Kubernetes then, and only then, answers 202)."""

    body: bytes
    gone: bool
    waiting: bool = False


def remove(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, options: DeleteOptions
) -> Removed:
    """Delete an object, at once or gracefully, see `app.objects.deletion`.

    Raises:
        NotFound: there is no such object. Conflict: a precondition does not hold. Forbidden: it is a
            namespace that no cluster can be without.
    """
    _check_mortal(kind, name)
    _warn(request, kind, options)
    for _ in range(ATTEMPTS):
        stored = read.stored(registry, kind, namespace, name)
        obj: Object = orjson.loads(stored.body)
        check_preconditions(kind, obj, options)
        guard.check(registry, request, kind, obj, None)
        admission.of_delete(registry, request, kind.storage, obj, options)
        write = _write(registry, kind, obj, options)
        if write is None:
            return _answer(kind, obj, stored.body, False, options)
        gone = write.verb is Verb.DELETE
        if request.dry_run:
            return _answer(kind, obj, orjson.dumps(write.obj), gone, options)
        result = registry.commit(request, [write])[0]
        if isinstance(result, Committed):
            if gone and kind.resource == "nodes":
                registry.agents.forget(name)
            return _answer(kind, obj, result.body, gone, options)
        if result.why == "absent":
            raise not_found(kind.group, kind.plural, name)
    raise ServiceUnavailable(f"{kind.plural} {name!r} is written to all the time", retry_after=1)


def remove_collection(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    which: ListOptions,
    options: DeleteOptions,
) -> bytes:
    """Delete what `which` selects; the list of it, as it was. What disappears meanwhile is no error."""
    found = listing.list_objects(registry, kind, namespace, which)
    _warn(request, kind, options)
    if not request.dry_run:
        for at in range(0, len(found.records), BATCH):
            _remove_batch(registry, request, kind, found.stored()[at : at + BATCH], options)
    return found.json()


def _remove_batch(
    registry: Registry, request: Request, kind: Kind, objects: list[Object], options: DeleteOptions
) -> None:
    writes = []
    for obj in objects:
        _check_mortal(kind, obj["metadata"]["name"])
        check_preconditions(kind, obj, options)
        admission.of_delete(registry, request, kind.storage, obj, options)
        write = _write(registry, kind, obj, options)
        if write is not None:
            writes.append(write)
    for write, result in zip(writes, registry.commit(request, writes), strict=True):
        if not isinstance(result, Committed) and result.why == "modified":
            meta = write.obj["metadata"]
            own = DeleteOptions(options.grace, options.propagation, meta["uid"], options.version)
            try:
                remove(registry, request, kind, meta.get("namespace") or "", meta["name"], own)
            except NotFound:
                continue
            except Conflict:
                # Another object of that name is there by now: the one meant is gone.
                if options.version or options.uid:
                    raise


def propagation_of(kind: Kind, options: DeleteOptions) -> Propagation:
    """What becomes of the object's dependents: as the client says, or else as the kind has it."""
    default: Propagation = "Orphan" if kind.storage.resource in ORPHANING else "Background"
    return options.propagation or default


def _warn(request: Request, kind: Kind, options: DeleteOptions) -> None:
    """Tell a client of a kind whose dependents stay unless it says otherwise."""
    if (
        options.propagation is None
        and kind.storage.resource in ORPHANING
        and _PRESERVED not in request.warnings
    ):
        request.warnings.append(_PRESERVED)


def _write(registry: Registry, kind: Kind, obj: Object, options: DeleteOptions) -> Write | None:
    return deletion.removal(
        kind.storage.resource,
        obj,
        registry.clock.now(),
        grace=options.grace,
        propagation=propagation_of(kind, options),
    )


def _check_mortal(kind: Kind, name: str) -> None:
    """Raises Forbidden."""
    if kind.resource == "namespaces" and name in IMMORTAL:
        raise Forbidden(
            f'namespaces "{name}" is forbidden: this namespace may not be deleted',
            resource="namespaces",
            name=name,
        )


def check_preconditions(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    """Raises Conflict."""
    meta = obj["metadata"]
    if options.uid and options.uid != meta["uid"]:
        what = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated"
        )
    elif options.version and options.version != meta["resourceVersion"]:
        what = (
            f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion in "
            f"record ({meta['resourceVersion']}). The object might have been modified"
        )
    else:
        return
    raise Conflict(
        f'Operation cannot be fulfilled on {qualified(kind.plural, kind.group)} "{meta["name"]}": {what}',
        group=kind.group,
        resource=kind.plural,
        name=meta["name"],
    )


def _answer(kind: Kind, obj: Object, body: bytes, gone: bool, options: DeleteOptions) -> Removed:
    if not gone or kind.resource in ANSWERED_WITH_OBJECT:
        return Removed(versions.shown(kind, body), gone, not gone and options.cascading)
    meta = obj["metadata"]
    status = statuses.success(name=meta["name"], group=kind.group, resource=kind.plural, uid=meta["uid"])
    return Removed(status, gone)
