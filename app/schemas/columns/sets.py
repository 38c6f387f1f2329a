"""The tables of stateful sets, daemon sets, replication controllers, and what belongs to them."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.meta import controller_of
from app.schemas.columns.column import AGE, NAME, NONE, pairs
from app.schemas.columns.workload import CONTAINERS, IMAGES, READY, SELECTOR, desired, status
from app.schemas.kind import Column

STATEFUL_SET = (
    NAME,
    READY,
    AGE,
    CONTAINERS,
    IMAGES,
)


def _number(name: str, field: str, description: str) -> Column:
    return Column(name, "integer", lambda obj, _: status(obj, field), description=description)


DAEMON_SET = (
    NAME,
    _number("Desired", "desiredNumberScheduled", "Nodes that should have a pod."),
    _number("Current", "currentNumberScheduled", "Nodes that have one and should."),
    _number("Ready", "numberReady", "Nodes whose pod is ready."),
    _number("Up-to-date", "updatedNumberScheduled", "Nodes whose pod is of the newest template."),
    _number("Available", "numberAvailable", "Nodes whose pod has been ready for long enough."),
    Column(
        "Node Selector",
        "string",
        lambda obj, _: pairs(obj.get("spec", {}).get("template", {}).get("spec", {}).get("nodeSelector")),
        description="Labels that a node must have.",
    ),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)

REPLICATION_CONTROLLER = (
    NAME,
    Column("Desired", "integer", lambda obj, _: desired(obj), description="Pods wanted."),
    _number("Current", "replicas", "Pods there are."),
    _number("Ready", "readyReplicas", "Pods that are ready."),
    AGE,
    CONTAINERS,
    IMAGES,
    Column(
        "Selector",
        "string",
        lambda obj, _: pairs(obj.get("spec", {}).get("selector")),
        1,
        description="Which pods belong to it.",
    ),
)


def _controller(obj: Object) -> str:
    """Whose history it is, as `statefulset.apps/web`."""
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group = owner.get("apiVersion", "").rpartition("/")[0]
    kind = owner.get("kind", "").lower() + (f".{group}" if group else "")
    return f"{kind}/{owner.get('name', '')}"


CONTROLLER_REVISION = (
    NAME,
    Column("Controller", "string", lambda obj, _: _controller(obj), description="Whose history it is."),
    Column("Revision", "integer", lambda obj, _: obj.get("revision") or 0, description="Its number there."),
    AGE,
)


def _template(obj: Object) -> Object:
    template: Object = obj.get("template") or {}
    return template


def _of_containers(obj: Object, field: str) -> str:
    containers = (_template(obj).get("spec") or {}).get("containers") or ()
    return ",".join(container.get(field, "") for container in containers)


POD_TEMPLATE = (
    NAME,
    Column(
        "Containers",
        "string",
        lambda obj, _: _of_containers(obj, "name"),
        description="Containers of the template.",
    ),
    Column(
        "Images", "string", lambda obj, _: _of_containers(obj, "image"), description="Images of the template."
    ),
    Column(
        "Pod Labels",
        "string",
        lambda obj, _: pairs((_template(obj).get("metadata") or {}).get("labels")),
        description="Labels that its pods get.",
    ),
)
