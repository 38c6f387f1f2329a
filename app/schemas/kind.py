"""What there is to know of a kind of object that the API serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.base.errors import qualified
from app.objects.change import Object
from app.schemas.fields import Type

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table that `kubectl get` prints.

    `value` gives the cell of an object at a time `now` in seconds. `priority` 0 is always shown, 1 with
    `-o wide`. `type` is `string`, `integer`, `date` or `boolean`; format `name` marks the object's name.
    """

    name: str
    type: str
    value: Callable[[Object, float], Any]
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A kind of object and the resource it is served as.

    Attributes:
        group: API group, empty for core. plural, singular, short_names, categories: how people name it.
        schema: its fields. columns: its table. subresources: such as `status`, `scale`, `log`.
        verbs: what can be done with it, in discovery's words.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    schema: type[Type]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    verbs: tuple[str, ...] = VERBS

    @property
    def resource(self) -> str:
        """`pods`, `deployments.apps`."""
        return qualified(self.plural, self.group)

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified_kind(self) -> str:
        """`Pod`, `Deployment.apps`: how messages name it."""
        return qualified(self.kind, self.group)
