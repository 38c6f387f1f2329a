"""What has a number of pods that can be set: built-in kinds, and those whose definition says where the number is.

The scale subresource, for plans: they have no API to ask, and find the fields themselves.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#scale-subresource
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.base.errors import BadRequest
from app.objects import conditions, selector_text
from app.objects.change import Object, ReadView
from app.objects.deletion import DEFINITIONS
from app.objects.selectors import Selector, of_label_selector
from app.schemas.custom.jsonpath import simple_fields

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scalable:
    """A kind that can be scaled.

    Attributes:
        resource: where its objects are kept. wanted_at, there_at: where in them the numbers are of pods that are
            wanted and that there are. text_at: where a custom one has its selector as text; empty for the others,
            which have it in `spec.selector`, and for one that has none. unsaid: the number wanted if none is said.
    """

    resource: str
    wanted_at: Path = ("spec", "replicas")
    there_at: Path = ("status", "replicas")
    text_at: Path | None = None
    unsaid: int = 1

    def wanted(self, obj: Object) -> int:
        found = _at(obj, self.wanted_at)
        return found if type(found) is int else self.unsaid

    def there(self, obj: Object) -> int:
        found = _at(obj, self.there_at)
        return found if type(found) is int else 0

    def resized(self, obj: Object, replicas: int) -> Object:
        """The object with another number of pods wanted."""
        changed: Object = _put(obj, self.wanted_at, replicas)
        return changed

    def selector(self, obj: Object) -> Selector | None:
        """What chooses its pods; None if it doesn't tell, or in a way that nobody understands."""
        if self.text_at is None:
            given = _at(obj, ("spec", "selector")) or {}
            plain = all(isinstance(value, str) for value in given.values())
            return of_label_selector({"matchLabels": given} if plain else given)
        text = _at(obj, self.text_at) if self.text_at else None
        try:
            return selector_text.parse(text) if isinstance(text, str) and text else None
        except BadRequest:
            return None


BUILT_IN = {
    ("apps", "ReplicaSet"): Scalable("replicasets.apps"),
    ("apps", "Deployment"): Scalable("deployments.apps"),
    ("apps", "StatefulSet"): Scalable("statefulsets.apps"),
    ("", "ReplicationController"): Scalable("replicationcontrollers"),
}


def find(view: ReadView, group: str, kind: str) -> Scalable | None:
    """How objects that call themselves so are scaled; None if they aren't."""
    known = BUILT_IN.get((group, kind))
    if known is not None or not group:
        return known
    for definition in view.list(DEFINITIONS):
        spec = definition["spec"]
        if (spec["group"], spec["names"]["kind"]) == (group, kind) and conditions.is_true(
            definition, "Established"
        ):
            return _custom(spec)
    return None


def _custom(spec: Object) -> Scalable | None:
    """As the version says in which its objects are stored."""
    stored: Object = next((version for version in spec["versions"] if version.get("storage")), {})
    scale = (stored.get("subresources") or {}).get("scale")
    if not scale:
        return None
    text = scale.get("labelSelectorPath")
    return Scalable(
        f"{spec['names']['plural']}.{spec['group']}",
        tuple(simple_fields(scale["specReplicasPath"])),
        tuple(simple_fields(scale["statusReplicasPath"])),
        tuple(simple_fields(text)) if text else (),
        unsaid=0,
    )


def _at(obj: Any, path: Path) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def _put(obj: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    inside = obj if isinstance(obj, dict) else {}
    return {**inside, path[0]: _put(inside.get(path[0]), path[1:], value)}
