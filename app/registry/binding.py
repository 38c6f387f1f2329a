"""Binding: a pod is given its node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import BadRequest, Cause, Conflict, Invalid, ServiceUnavailable, not_found
from app.objects import conditions
from app.objects.change import Bind, Object, update
from app.registry import admission, incoming, read, statuses
from app.registry.request import Request
from app.schemas import kinds
from app.store.store import Committed

if TYPE_CHECKING:
    from app.registry.registry import Registry

ATTEMPTS = 8


def bind(registry: Registry, request: Request, namespace: str, name: str, raw: Any) -> bytes:
    """Bind a pod to the node that a Binding names; a Status.

    Raises:
        BadRequest, Invalid: it is no Binding to a node. NotFound: there is no such pod, or node.
        Conflict: the pod has a node already, or is being deleted.
    """
    sent = incoming.accept(request, kinds.BINDING, namespace, raw)
    target = sent.get("target") or {}
    node = str(target.get("name") or "")
    if sent["metadata"].get("name") not in (None, "", name):
        raise BadRequest(f"the name of the binding does not match the name on the URL ({name})")
    _check_target(name, target)
    if registry.store.get("nodes", node) is None:
        raise not_found("", "nodes", node)
    pods = kinds.by_resource("pods")
    admission.of_subresource(registry, request, pods, namespace, name, "binding", kinds.BINDING, sent)
    registry.view.catch_up()
    for _ in range(ATTEMPTS):
        pod: Object = orjson.loads(read.stored(registry, pods, namespace, name).body)
        _check_unbound(pod, name)
        bound = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        bound = conditions.with_condition(bound, "PodScheduled", "True", registry.clock.now())
        if request.dry_run:
            break
        write = update("pods", bound, bind=Bind(node, registry.view.revision))
        result = registry.commit(request, [write])[0]
        if isinstance(result, Committed):
            break
        if result.why == "bound":
            registry.view.catch_up()
    else:
        raise ServiceUnavailable(f'pod "{name}" is written to all the time', retry_after=1)
    return statuses.success(code=201)


def bind_named(registry: Registry, request: Request, sent: Object) -> Object:
    """Bind the pod of the Binding's own name: what is created at `bindings`, the way of schedulers of old; a Status.

    Raises:
        BadRequest: it names no pod. Otherwise as `bind`.
    """
    meta = sent["metadata"]
    if not meta.get("name"):
        raise BadRequest("name must be provided")
    status: Object = orjson.loads(bind(registry, request, meta["namespace"], meta["name"], sent))
    return status


def _check_target(name: str, target: Object) -> None:
    if not target.get("name"):
        field, reason, message = "target.name", "FieldValueRequired", "Required value"
    elif target.get("kind") not in (None, "", "Node"):
        field, reason = "target.kind", "FieldValueNotSupported"
        message = f'Unsupported value: "{target["kind"]}": supported values: "Node", ""'
    else:
        return
    raise Invalid(
        f'Binding "{name}" is invalid: {field}: {message}',
        resource="Binding",
        name=name,
        causes=[Cause(field, reason, message)],
    )


def _check_unbound(pod: Object, name: str) -> None:
    why = ""
    if pod["metadata"].get("deletionTimestamp"):
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
    if why:
        raise Conflict(
            f'Operation cannot be fulfilled on pods/binding "{name}": {why}',
            resource="pods/binding",
            name=name,
        )
