"""Scale: how many replicas, of whatever kind has them (`autoscaling/v1`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import Cause, Invalid, NotFound
from app.objects import selectors
from app.objects.change import Object
from app.registry import incoming, read, write
from app.registry.patch import apply, check_type
from app.registry.replace import settled
from app.registry.request import Request
from app.schemas.kinds import SCALE, Kind
from app.schemas.merge import merge_key

if TYPE_CHECKING:
    from app.registry.registry import Registry


def get(registry: Registry, kind: Kind, namespace: str, name: str) -> bytes:
    """The Scale of an object. Raises NotFound."""
    _check(kind)
    obj = orjson.loads(read.stored(registry, kind, namespace, name).body)
    return orjson.dumps(scale_of(obj))


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
        patched = apply(scale_of(old), body, content_type, merge_key(SCALE))
        scale = incoming.accept(request, SCALE, namespace, patched)
        incoming.check_name(scale, name)
        return scale

    return _scaled(registry, request, kind, namespace, name, sent)


def scale_of(obj: Object) -> Object:
    """The Scale of a Deployment or ReplicaSet."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": SCALE.api_version,
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": spec.get("replicas", 1)},
        "status": {
            "replicas": (obj.get("status") or {}).get("replicas", 0),
            "selector": str(selectors.of_label_selector(spec.get("selector"))),
        },
    }


def _scaled(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, scale: write.Changed
) -> bytes:
    def changed(old: Object) -> Object:
        sent = scale(old)
        write.check_version(kind, old, sent)
        replicas = (sent.get("spec") or {}).get("replicas") or 0
        if replicas < 0:
            raise _negative(name, replicas)
        return settled(kind, old, {**old, "spec": {**old["spec"], "replicas": replicas}}, "")

    return orjson.dumps(
        scale_of(orjson.loads(write.modify(registry, request, kind, namespace, name, changed)))
    )


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
