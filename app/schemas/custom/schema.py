"""CustomSchema: all that one version of a CustomResourceDefinition says of its objects, compiled.

It does for custom resources what the schema classes do for the built-in kinds; `app.schemas.decode`, `defaults`,
`validate`, `merge` and `openapi` ask it where `Kind.custom` is set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from app.objects.change import Object
from app.objects.managed.shape import Shape
from app.schemas.custom.check import checker
from app.schemas.custom.fill import filler, has_defaults
from app.schemas.custom.match import ABSENT
from app.schemas.custom.prune import pruner
from app.schemas.custom.rules import rule_checker
from app.schemas.custom.shape import shape_of
from app.schemas.faults import Faults
from app.schemas.fields import String, Struct, Type
from app.schemas.meta import ObjectMeta
from app.schemas.mismatch import Mismatch, json_name

OPEN: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_IDENTITY = ("apiVersion", "kind", "metadata")


class CustomObject(Type):
    """What all custom resources have in common."""

    package: ClassVar[str] = "io.k8s.apiextensions"

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)


class CustomSchema:
    """The schema of one version; compiled when first used.

    Args:
        given: its `openAPIV3Schema`. checked: whether objects are held to it; not where they were before, in the
            version that they were written in.
        terminating: its definition is being deleted: no new objects. kept: definitions of scale's paths.
    """

    def __init__(
        self,
        given: Object | None,
        *,
        checked: bool = True,
        terminating: bool = False,
        scale: Object | None = None,
    ) -> None:
        self.given: Object = given or OPEN
        self.checked = checked
        self.terminating = terminating
        self.scale = scale

    def decode(self, raw: Any, unknown: list[str]) -> Object:
        """The object in `raw`, without what the schema doesn't know, whose paths are added to `unknown`.

        Raises:
            Mismatch: its metadata isn't what it should be.
        """
        if type(raw) is not dict:
            raise Mismatch(json_name(raw), "map[string]interface {}")
        obj = self.pruned(raw, unknown)
        for name in ("apiVersion", "kind"):
            if name in obj and not isinstance(obj[name], str):
                raise Mismatch(json_name(obj[name]), "string")
        strange: list[str] = []
        meta = ObjectMeta.decoder()(raw.get("metadata"), strange)
        if strange:
            unknown.extend(
                f"metadata.{name}" for name in raw["metadata"] if name not in ObjectMeta.fields_of()
            )
        return {**obj, "metadata": meta}

    def pruned(self, obj: Object, unknown: list[str]) -> Object:
        """The object without what the schema doesn't know."""
        pruned: Object = self._prune(obj, "", unknown) if self._prune else obj
        return pruned

    def filled(self, obj: Object) -> Object:
        """The object with its defaults; the same object if there is nothing to fill in."""
        filled: Object = self._fill(obj)
        return filled

    def check(self, obj: Object, old: Object | None, faults: Faults) -> None:
        """Add what is wrong with an object that was `old` before (None: a new one)."""
        if not self.checked:
            return
        found = len(faults.causes)
        before = ABSENT if old is None else old
        self._check({k: v for k, v in obj.items() if k != "metadata"} | _named(obj), before, "", faults)
        if self._rules and len(faults.causes) == found:
            self._rules(obj, before, "", faults)

    @cached_property
    def shape(self) -> Shape:
        """What server-side apply needs to know."""
        return shape_of(self.given)

    @cached_property
    def defaulting(self) -> bool:
        """Whether it has defaults at all."""
        return has_defaults(self.given)

    @cached_property
    def _prune(self) -> Callable[[Any, str, list[str]], Any] | None:
        return pruner(self.given, root=True)

    @cached_property
    def _fill(self) -> Callable[[Any], Any]:
        return filler(self.given)

    @cached_property
    def _check(self) -> Callable[[Any, Any, str, Faults], None]:
        return checker(self.given, root=True)

    @cached_property
    def _rules(self) -> Callable[[Any, Any, str, Faults], None] | None:
        return rule_checker(self.given)


def _named(obj: Object) -> Object:
    """What a schema may say something of in metadata: the names."""
    meta = obj.get("metadata") or {}
    return {"metadata": {key: meta[key] for key in ("name", "generateName") if meta.get(key)}}
