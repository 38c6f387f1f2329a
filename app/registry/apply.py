"""Server-side apply: PATCH with `application/apply-patch+yaml`.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.base.clock import rfc3339
from app.base.errors import (
    AlreadyExists,
    BadRequest,
    Cause,
    Conflict,
    NotFound,
    ServiceUnavailable,
    not_found,
    qualified,
)
from app.objects.change import Object
from app.objects.managed import handover
from app.objects.managed.apply import Applied, Apply
from app.objects.managed.conflicts import Conflicts
from app.objects.managed.entries import Manager
from app.objects.managed.sets import has
from app.objects.meta import with_meta
from app.registry import configuration, create, incoming, versions, write
from app.registry.access.attributes import Asked, Subject
from app.registry.access.refusal import forbidden
from app.registry.managed import versions_of
from app.registry.replace import check_subresource, settled_as
from app.registry.request import Request
from app.schemas.kinds import Kind
from app.schemas.shapes import shape_of

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How often an object may come or go between looking for it and writing it.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """The JSON of what is stored, and whether it is new."""

    body: bytes
    created: bool


def apply(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, config: Any, subresource: str
) -> Outcome:
    """Make the fields in `config` so, and the caller their owner; make the object if there is none.

    Fields that the caller applied before and that are no longer in `config` go, unless somebody else owns them.

    Raises:
        Invalid: no fieldManager is named, or what comes out is not acceptable. BadRequest: the configuration is
            not one of this kind. Forbidden: the caller may not create it. NotFound: there is no object whose subresource this could be. Conflict: it would change
            what others own and is not forced; or it is meant for another uid or version.
    """
    check_subresource(kind, subresource)
    configuration.check_manager(request)
    configuration.check_config(kind, namespace, name, config)
    manager = Manager(request.field_manager, "Apply", kind.api_version, subresource)
    return laid(
        registry, request, kind, namespace, name, configuration.part_of(kind, config, subresource), manager
    )


def laid(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    name: str,
    config: Object,
    manager: Manager,
) -> Outcome:
    """`apply` of a configuration that is looked over already, in a manager's name."""
    key = f"{namespace}/{name}" if namespace else name
    for _ in range(ATTEMPTS):
        if registry.store.get(kind.storage.resource, key) is not None:
            try:
                return _changed(registry, request, kind, namespace, name, config, manager)
            except NotFound:
                continue  # it went just now
        if manager.subresource:
            raise not_found(kind.group, kind.plural, name)
        try:
            return _created(registry, request, kind, namespace, name, config, manager)
        except AlreadyExists:
            continue  # it came just now
    raise ServiceUnavailable(f"{kind.plural} {name!r} comes and goes all the time", retry_after=1)


def _changed(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    name: str,
    config: Object,
    manager: Manager,
) -> Outcome:
    entries: list[Object] = []

    def changed(old: Object) -> Object:
        def complete(merged: Object) -> Object:
            sent = incoming.accept(request, kind, namespace, merged)
            incoming.check_name(sent, name)
            write.check_version(kind, old, sent)
            return configuration.reach(kind, manager.subresource, live, sent)

        live = with_meta(versions.shown_object(kind, old), managedFields=None)
        asked = Apply(
            config, manager, shape_of(kind), versions_of(registry, kind), complete, bool(request.force)
        )
        known = old["metadata"].get("managedFields") or []
        applied = _resolved(asked, live, known, rfc3339(registry.clock.now()))
        entries[:] = known if applied.same else applied.entries
        new = applied.obj
        if manager.name == handover.KUBECTL and not manager.subresource:
            new = handover.with_last_applied(new, live, config)
        through = "" if manager.subresource == "scale" else manager.subresource
        return settled_as(kind, old, new, through, registry.clock.now())

    def track(_r: Registry, _q: Request, _k: Kind, _old: Object | None, new: Object, _s: str) -> Object:
        return with_meta(new, managedFields=list(entries) or None)

    body = write.modify(registry, request, kind, namespace, name, changed, manager.subresource, track)
    return Outcome(body, False)


def _resolved(asked: Apply, live: Object, known: list[Object], now: str) -> Applied:
    """Raises Conflict, in Kubernetes's words."""
    try:
        return asked.to(live, known, now)
    except Conflicts as exc:
        found = exc
    if asked.manager.name == handover.KUBECTL:
        allowed = handover.may_take(live, asked.shape)
        left = [conflict for conflict in found.conflicts if not has(allowed, conflict.at)]
        if not left:
            return replace(asked, force=True).to(live, known, now)
        found = Conflicts(left)
    causes = [Cause(c.path, "FieldManagerConflict", c.message) for c in found.conflicts]
    raise Conflict(str(found), causes=causes) from found


def _created(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    name: str,
    config: Object,
    manager: Manager,
) -> Outcome:
    uid = config["metadata"].get("uid")
    if uid:
        raise Conflict(
            f'Operation cannot be fulfilled on {qualified(kind.plural, kind.group)} "{name}": uid mismatch: '
            f"the provided object specified uid {uid}, and no existing object was found",
            group=kind.group,
            resource=kind.plural,
            name=name,
        )
    if not config["metadata"].get("name"):
        raise BadRequest(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    _check_may_create(registry, request, kind, namespace, name)
    asked = Apply(config, manager, shape_of(kind), versions_of(registry, kind), lambda obj: obj)
    entries = asked.new(rfc3339(registry.clock.now())).entries

    def track(_r: Registry, _q: Request, _k: Kind, _old: Object | None, new: Object, _s: str) -> Object:
        return with_meta(new, managedFields=entries or None)

    return Outcome(create.create(registry, request, kind, namespace, config, track), True)


def _check_may_create(registry: Registry, request: Request, kind: Kind, namespace: str, name: str) -> None:
    """Whoever may patch may not therefore create. Raises Forbidden."""
    subject = Subject(request.user, request.groups, request.uid)
    asked = Asked(
        "create", kind.group, kind.plural, "", name if kind.resource == "namespaces" else namespace, name
    )
    decision = registry.access.decide(subject, asked)
    if not decision.allowed:
        raise forbidden(request.user, asked, decision.reason)
