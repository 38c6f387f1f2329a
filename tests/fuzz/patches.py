"""Patches of all four types, sensible and absurd."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from app.schemas.kind import Kind
from tests.fuzz import bodies
from tests.fuzz.places import Place, field_at, put
from tests.fuzz.values import VALUES
from tests.schemas.test_properties import values_of

TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_types = st.sampled_from(("json", "merge", "strategic", "strategic", "apply", "apply"))
_operations = st.sampled_from(("add", "add", "replace", "remove", "test", "move", "copy", "ADD", "", None, 1))
_pointers = st.sampled_from(
    (
        "", "/", "/metadata/labels/app", "/metadata/labels/x~1y", "/metadata/labels/~2", "/metadata/name", "/metadata/finalizers/-",
        "/spec/containers/0/image", "/spec/containers/-", "/spec/containers/-1", "/spec/containers/00", "/spec/containers/99999999999",
        "/spec/template/spec/containers/0/image", "/spec/replicas", "/status", "/data/a", "/data", "/spec", "no-slash", "/a/b/c/d",
        "/metadata/annotations", "/metadata/resourceVersion", "/metadata/managedFields", "/apiVersion", "/kind", None, 3,
    )
)  # fmt: skip
_directives = st.sampled_from(
    (
        {"$patch": "delete"}, {"$patch": "replace"}, {"$patch": "merge"}, {"$patch": "dance"}, {"$patch": None}, {"$patch": []},
        {"$retainKeys": ["a"]}, {"$retainKeys": []}, {"$retainKeys": "a"}, {"$retainKeys": [1]}, {"$retainKeys": None},
        {"$setElementOrder/containers": [{"name": "web"}]}, {"$setElementOrder/containers": [{}]},
        {"$setElementOrder/containers": "web"}, {"$setElementOrder/ports": [{"port": 80}], "ports": [{"port": 80}]},
        {"$setElementOrder/finalizers": ["a", "b"], "finalizers": ["b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]},
        {"$deleteFromPrimitiveList/finalizers": {}}, {"$deleteFromPrimitiveList/finalizers": [{}]}, {"$deleteFromPrimitiveList/": []},
        {"containers": [{"$patch": "delete", "name": "web"}]}, {"containers": [{"$patch": "delete"}]},
        {"containers": [{"$patch": "replace"}, {"name": "x", "image": "y"}]}, {"containers": [{"name": ["web"]}]},
        {"containers": [None]}, {"containers": {"$patch": "replace"}}, {"volumes": [{"name": "settings", "$retainKeys": ["name"]}]},
        {"ports": [{"$patch": "delete", "port": 80}]}, {"ports": [{"containerPort": 80, "protocol": None}]}, {"$unknown": 1},
        {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}, {"env": [{"name": "NAME", "value": "x"}]},
    )
)  # fmt: skip
_spots: st.SearchStrategy[Place] = st.sampled_from(
    (
        (),
        ("spec",),
        ("metadata",),
        ("spec", "template", "spec"),
        ("spec", "template"),
        ("status",),
        ("data",),
        ("spec", "containers", 0),
    )
)
_one_in_eight = st.integers(0, 7)
_edits = st.sampled_from((1, 1, 2, 3))


def patch_of(draw: st.DrawFn, kind: Kind, subresource: str, name: str) -> tuple[bytes, str]:
    """A patch, and the media type it is sent as."""
    chosen = draw(_types)
    media = TYPES[chosen]
    if chosen == "json":
        patch: Any = [_operation(draw, kind) for _ in range(draw(_edits))]
    elif chosen == "apply":
        patch = bodies.edited(draw, kind, bodies.object_for(kind, subresource, name))
    else:
        patch = {}
        for _ in range(draw(_edits)):
            if chosen == "strategic" and draw(_one_in_eight) < 4:
                spot = draw(_spots)
                directive = draw(_directives)
                patch = put(patch, spot, {**_at(patch, spot), **directive})
            else:
                patch = put(patch, *_change(draw, kind))
    odd = draw(_one_in_eight)
    if odd == 0:
        patch = draw(VALUES)
    data = json.dumps(patch).encode()
    return (bodies.spoiled(draw, "cut" if chosen == "json" else "flipped", data) if odd == 1 else data), media


def _operation(draw: st.DrawFn, kind: Kind) -> Any:
    if draw(_one_in_eight) < 4:
        place, value = _change(draw, kind)
        return {
            "op": "add",
            "path": "".join(f"/{str(step).replace('/', '~1')}" for step in place),
            "value": value,
        }
    made = {"op": draw(_operations), "path": draw(_pointers), "from": draw(_pointers), "value": draw(VALUES)}
    if draw(_one_in_eight) == 0:
        made.pop("value")
    return made


def _change(draw: st.DrawFn, kind: Kind) -> tuple[Place, Any]:
    """A place in objects of this kind, and what is to stand there: mostly something of the right type."""
    place = draw(bodies.places_of(kind))
    field = field_at(kind, place) if draw(_one_in_eight) < 5 else None
    return place, draw(VALUES if field is None else values_of(field, 1))


def _at(patch: Any, spot: Place) -> dict[str, Any]:
    for step in spot:
        try:
            patch = patch[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return patch if isinstance(patch, dict) else {}
