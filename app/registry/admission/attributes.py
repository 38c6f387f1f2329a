"""What admission is told of a request, and what it may look at to judge it.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app.base.errors import Cause, Forbidden, qualified
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.change import Object, ReadView
from app.objects.quota_usage import Amounts
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.objects.quota_ledger import Ledger
    from app.registry.admission.webhooks.calls import Caller

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


@dataclass(slots=True)
class Attributes:
    """One request as admission sees it. Plugins replace `obj`; they never change it in place.

    Attributes:
        obj: the object as it is to be stored; None for a delete. `old`: as it was; None for a create.
        options: the CreateOptions, DeleteOptions ... of the request, for webhooks.
        body: the kind of `obj`, where a subresource takes another than the resource's own.
        warnings: what the client is to be told. `annotations`: what the audit log is to be told.
    """

    kind: Kind
    operation: Operation
    namespace: str
    name: str
    obj: Object | None
    old: Object | None = None
    subresource: str = ""
    options: Object | None = None
    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    trace: str = ""
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    body: Kind | None = None

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


@dataclass(slots=True)
class Surroundings:
    """What plugins look at besides the request.

    Attributes:
        view: the cluster; `lock` is held while plugins read it, not while webhooks are called. `fresh`: brings the view up to date, for who misses something in it; costs a round trip.
        usage: what each namespace uses of its quotas. `webhooks`: calls them; None where nothing may be called.
        pending: what was charged to each quota by writes that are to be committed together, and are not yet.
    """

    view: ReadView
    lock: AbstractContextManager[object]
    settings: Settings
    ids: Ids
    fresh: Callable[[], object]
    usage: Ledger
    webhooks: Caller | None = None
    pending: dict[str, Amounts] = field(default_factory=dict)

    def lookup(self, resource: str, key: str) -> Object | None:
        """The object; one that the view doesn't have may just have been made."""
        found = self.view.get(resource, key)
        if found is None:
            self.fresh()
            found = self.view.get(resource, key)
        return found


def forbidden(attributes: Attributes, why: str, causes: tuple[Cause, ...] = ()) -> Forbidden:
    """The refusal of a plugin, in Kubernetes's words (`admission.NewForbidden`)."""
    kind = attributes.kind
    name = attributes.name
    if not name and attributes.obj is not None:
        meta = attributes.obj.get("metadata") or {}
        name = meta.get("name") or meta.get("generateName") or ""
    return Forbidden(
        f'{qualified(kind.plural, kind.group)} "{name}" is forbidden: {why}',
        group=kind.group,
        resource=kind.plural,
        name=name,
        causes=causes,
    )


def together(reasons: list[str]) -> str:
    """Several reasons as one text (`utilerrors.NewAggregate`)."""
    unique = list(dict.fromkeys(reasons))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
