"""Where the numbers of a Scale are: the same place in all built-in kinds, wherever its definition says in a custom one.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#scale-subresource
"""

from __future__ import annotations

from typing import Any

from app.objects import selectors
from app.objects.change import Object
from app.schemas.custom.jsonpath import simple_fields
from app.schemas.kinds import SCALE, Kind

KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(kind: Kind, obj: Object) -> Object:
    """The Scale of an object, which is in the version that `kind` is."""
    meta = obj["metadata"]
    replicas, status = _custom(kind, obj) if kind.custom is not None else _built_in(obj)
    return {
        "kind": "Scale",
        "apiVersion": SCALE.api_version,
        "metadata": {key: meta[key] for key in KEPT if key in meta},
        "spec": {"replicas": replicas},
        "status": status,
    }


def with_replicas(kind: Kind, obj: Object, replicas: int) -> Object:
    """The object, or as much of it as there is, with another number of replicas."""
    path = ["spec", "replicas"] if kind.custom is None else _fields(kind, "specReplicasPath")
    return _put(obj, path, replicas)


def _built_in(obj: Object) -> tuple[int, Object]:
    spec = obj.get("spec") or {}
    status = {
        "replicas": (obj.get("status") or {}).get("replicas", 0),
        "selector": str(_selector(spec.get("selector"))),
    }
    return spec.get("replicas", 1), status


def _selector(given: Object | None) -> selectors.Selector:
    """Older kinds have plain labels where newer ones have a LabelSelector."""
    if given and all(isinstance(value, str) for value in given.values()):
        given = {"matchLabels": given}
    return selectors.of_label_selector(given)


def _custom(kind: Kind, obj: Object) -> tuple[int, Object]:
    status: Object = {"replicas": _number(_at(obj, _fields(kind, "statusReplicasPath")))}
    chosen = _at(obj, _fields(kind, "labelSelectorPath"))
    if isinstance(chosen, str) and chosen:
        status["selector"] = chosen
    return _number(_at(obj, _fields(kind, "specReplicasPath"))), status


def _fields(kind: Kind, which: str) -> list[str]:
    given = (kind.custom.scale or {}).get(which) if kind.custom is not None else None
    return simple_fields(given) if given else []


def _at(obj: Any, path: list[str]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj if path else None


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def _put(obj: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    inside = obj if isinstance(obj, dict) else {}
    return {**inside, path[0]: _put(inside.get(path[0]), path[1:], value)}
