"""What agents report in an exchange, checked for its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.base.errors import ApiError, BadRequest
from app.objects.change import Object
from app.registry import usage_report


@dataclass(frozen=True, slots=True)
class Known:
    """What an agent knows already: the revision, and of which epoch; 0 asks for everything."""

    since: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Report:
    """What is said for one node.

    Attributes:
        known: what is known of its pods.
        node: the whole Node, or None if it has not changed.
        statuses: `{namespace, name, uid, status}` of pods. removed: `{namespace, name, uid}` of pods of
            which nothing is left on the node.
        events: what to tell users. rules: the revision of the service rules in force on the node.
        mount: `(resource, key)` of the ConfigMaps, Secrets, claims and volumes that its pods draw on.
        emptied: `{name, uid}` of PersistentVolumes of which the data has been removed.
        usage: what the node and its pods use, see `usage_report.read`; None if there is nothing new.
    """

    known: Known
    node: Object | None
    statuses: list[Object]
    removed: list[Object]
    events: list[Object]
    rules: int
    mount: list[tuple[str, str]]
    emptied: list[Object]
    usage: Object | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One exchange's request.

    Attributes:
        network: what is known of services and endpoints, which are the same for all nodes.
        reports: what is said for each node. refused: why nothing of what was said for others is heard.
    """

    network: Known
    reports: dict[str, Report]
    refused: dict[str, ApiError]


_POD = {"namespace": str, "name": str, "uid": str}
_EVENT = {"regarding": dict, "type": str, "reason": str, "message": str}
MOUNTABLE = (
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "persistentvolumes",
    "runtimeclasses.node.k8s.io",
)


def read(raw: Any) -> Said:
    """The request in `raw`.

    Raises:
        BadRequest: it has not the shape of one. What is wrong with one node's report alone is in `refused`.
    """
    reports: dict[str, Report] = {}
    refused: dict[str, ApiError] = {}
    for name, report in nodes_of(raw).items():
        try:
            reports[name] = _report(report)
        except BadRequest as exc:
            refused[name] = exc
    network = raw.get("network") or {}
    if not isinstance(network, dict):
        raise BadRequest("exchange.network must be an object")
    return Said(_known(network), reports, refused)


def nodes_of(raw: Any) -> dict[str, Any]:
    """The nodes that a request speaks for, with what it says. Raises BadRequest."""
    if not isinstance(raw, dict):
        raise BadRequest("an exchange must be a JSON object")
    nodes = raw.get("nodes")
    if not isinstance(nodes, dict) or not nodes:
        raise BadRequest("exchange.nodes must be an object with what is said for at least one node")
    return nodes


def _known(raw: Object) -> Known:
    return Known(_number(raw, "since"), _number(raw, "epoch"))


def _report(raw: Any) -> Report:
    if not isinstance(raw, dict):
        raise BadRequest("what a node reports must be a JSON object")
    node = raw.get("node")
    if node is not None and not isinstance(node, dict):
        raise BadRequest("exchange.node must be an object")
    mount = _list(raw, "mount")
    for pair in mount:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(p, str) for p in pair)):
            raise BadRequest("exchange.mount must be pairs of resource and key")
    return Report(
        known=_known(raw),
        node=node,
        statuses=_objects(raw, "statuses", {**_POD, "status": dict}),
        removed=_objects(raw, "removed", _POD),
        events=_objects(raw, "events", _EVENT),
        rules=_number(raw, "rules"),
        mount=[(pair[0], pair[1]) for pair in mount if pair[0] in MOUNTABLE],
        emptied=_objects(raw, "emptied", {"name": str, "uid": str}),
        usage=usage_report.read(raw.get("usage")),
    )


def _number(raw: Object, name: str) -> int:
    value = raw.get(name) or 0
    if type(value) is not int:
        raise BadRequest(f"exchange.{name} must be a whole number")
    return value


def _list(raw: Object, name: str) -> list[Any]:
    value = raw.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"exchange.{name} must be a list")
    return value


def _objects(raw: Object, name: str, fields: Mapping[str, type]) -> list[Object]:
    found = _list(raw, name)
    for item in found:
        if not isinstance(item, dict) or any(
            not isinstance(item.get(field), kind) for field, kind in fields.items()
        ):
            raise BadRequest(f"exchange.{name} must be objects with {', '.join(fields)}")
    return found
