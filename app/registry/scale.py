"""Scale: how many replicas, of whatever kind has them (`autoscaling/v1`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import Cause, Invalid, NotFound
from app.objects.change import Object
from app.objects.managed.entries import Manager
from app.registry import apply as applying
from app.registry import configuration, incoming, read, versions, write
from app.registry.apply import Outcome
from app.registry.patch import apply, check_type
from app.registry.replace import settled_as
from app.registry.request import Request
from app.registry.scale_paths import scale_of, with_replicas
from app.schemas.kinds import SCALE, Kind
from app.schemas.merge import merge_key

if TYPE_CHECKING:
    from app.registry.registry import Registry


def get(registry: Registry, kind: Kind, namespace: str, name: str) -> bytes:
    """The Scale of an object. Raises NotFound."""
    _check(kind)
    obj = orjson.loads(read.get(registry, kind, namespace, name))
    return orjson.dumps(scale_of(kind, obj))


def replace(registry: Registry, request: Request, kind: Kind, namespace: str, name: str, raw: Any) -> bytes:
    """Set the replicas that a Scale says; the Scale as it is then. Raises as `replace.replace`."""
    _check(kind)
    sent = incoming.accept(request, SCALE, namespace, raw)
    incoming.check_name(sent, name)
    return _scaled(registry, request, kind, namespace, name, lambda old: sent)


def patch(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, body: Any, content_type: str
) -> bytes:
    """Patch an object's Scale; the Scale as it is then. Raises as `patch.patch`."""
    _check(kind)
    check_type(content_type)

    def sent(old: Object) -> Object:
        patched = apply(
            scale_of(kind, versions.shown_object(kind, old)), body, content_type, merge_key(SCALE)
        )
        scale = incoming.accept(request, SCALE, namespace, patched)
        incoming.check_name(scale, name)
        return scale

    return _scaled(registry, request, kind, namespace, name, sent)


def apply_scale(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, config: Any
) -> Outcome:
    """Server-side apply of a Scale; the Scale as it is then. Raises as `apply.apply`."""
    _check(kind)
    configuration.check_manager(request)
    configuration.check_config(SCALE, namespace, name, config)
    # What is not as a Scale should be is refused by this.
    sent = incoming.accept(request, SCALE, namespace, config)
    given = (config.get("spec") or {}).get("replicas") is not None
    replicas = (sent.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        raise _negative(name, replicas)
    named = {
        k: v for k, v in sent["metadata"].items() if k in ("name", "namespace", "uid", "resourceVersion")
    }
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": named}
    if given:
        whole = with_replicas(kind, whole, replicas)
    manager = Manager(request.field_manager, "Apply", kind.api_version, "scale")
    outcome = applying.laid(registry, request, kind, namespace, name, whole, manager)
    return Outcome(orjson.dumps(scale_of(kind, orjson.loads(outcome.body))), False)


def _scaled(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, scale: write.Changed
) -> bytes:
    def changed(old: Object) -> Object:
        sent = scale(old)
        write.check_version(kind, old, sent)
        replicas = (sent.get("spec") or {}).get("replicas") or 0
        if replicas < 0:
            raise _negative(name, replicas)
        return settled_as(kind, old, with_replicas(kind, versions.shown_object(kind, old), replicas), "")

    body = write.modify(registry, request, kind, namespace, name, changed, "scale")
    return orjson.dumps(scale_of(kind, orjson.loads(body)))


def _check(kind: Kind) -> None:
    if "scale" not in kind.subresources:
        raise NotFound("the server could not find the requested resource")


def _negative(name: str, replicas: int) -> Invalid:
    message = f"Invalid value: {replicas}: must be greater than or equal to 0"
    return Invalid(
        f'Scale.autoscaling "{name}" is invalid: spec.replicas: {message}',
        group="autoscaling",
        resource="Scale",
        name=name,
        causes=[Cause("spec.replicas", "FieldValueInvalid", message)],
    )
