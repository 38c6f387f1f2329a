"""What there is to know of a kind of object that the API serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.base.errors import qualified
from app.objects.change import Object
from app.schemas.fields import Type

if TYPE_CHECKING:
    from app.schemas.custom.schema import CustomSchema

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
class Conversion:
    """How a served version that isn't the stored one is made of it, and back.

    The functions take and give whole objects in wire form and don't change what they are given; `apiVersion` and
    `kind` are seen to by the caller, and so is `metadata` where they leave it out. They may raise ApiError.

    Attributes:
        storage: the Kind in whose form objects are stored.
        to_storage: objects of this version as they are stored. from_storage: the way back. Both take many at once,
            since a conversion may be a request to somebody else (`one_by_one` makes them of plain functions).
        slow: it asks somebody else, so that it must not be waited for where others wait too.
    """

    storage: Kind
    to_storage: Callable[[list[Object]], list[Object]]
    from_storage: Callable[[list[Object]], list[Object]]
    slow: bool = False


def one_by_one(convert: Callable[[Object], Object]) -> Callable[[list[Object]], list[Object]]:
    """What converts many objects, made of what converts one."""
    return lambda objects: [convert(obj) for obj in objects]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A kind of object and the resource it is served as.

    Attributes:
        group: API group, empty for core. plural, singular, short_names, categories: how people name it.
        schema: its fields. columns: its table. subresources: such as `status`, `scale`, `log`.
        notice: what whoever creates one is warned of: that it is kept and has no effect yet, say.
        verbs: what can be done with it, in discovery's words.
        conversion: for a version that isn't the one stored; None for the one that is.
        custom: of a custom resource, what its definition says; `schema` then has only what all have in common.
        list_name: what lists call themselves, if it isn't the kind with `List`. selectable: fields that its
            definition lets field selectors name. warning: what clients of a deprecated version are told.
        resource: `pods`, `deployments.apps`. api_version: `v1`, `apps/v1`. Every request asks for them many times.
        storage: the kind in whose form objects are stored: itself, but for further versions of a kind. The store and
            the views know `kind.storage.resource`.
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
    conversion: Conversion | None = None
    custom: CustomSchema | None = None
    list_name: str = ""
    notice: str = ""
    selectable: tuple[str, ...] = ()
    warning: str = ""
    resource: str = field(init=False, repr=False)
    api_version: str = field(init=False, repr=False)
    storage: Kind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        made = {
            "resource": qualified(self.plural, self.group),
            "api_version": f"{self.group}/{self.version}" if self.group else self.version,
            "storage": self if self.conversion is None else self.conversion.storage,
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    @property
    def list_kind(self) -> str:
        """`PodList`."""
        return self.list_name or f"{self.kind}List"

    @property
    def openapi_name(self) -> str:
        """What OpenAPI calls its schema: `io.k8s.api.core.v1.Pod`, `com.example.stable.v1.CronTab`."""
        if self.custom is None:
            return self.schema.openapi_name()
        return ".".join((*reversed(self.group.split(".")), self.version, self.kind))

    @property
    def qualified_kind(self) -> str:
        """`Pod`, `Deployment.apps`: how messages name it."""
        return qualified(self.kind, self.group)
