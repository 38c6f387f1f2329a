"""What a verb is told besides the object: who asks, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

from app.base.errors import BadRequest, Cause, Invalid
from app.objects import field_selectors, selectors
from app.objects.deletion import Propagation
from app.objects.field_selectors import FieldSelector
from app.objects.selectors import Selector
from app.schemas import kinds
from app.schemas.decode import decode

FieldValidation = Literal["Strict", "Warn", "Ignore"]
VersionMatch = Literal["", "Exact", "NotOlderThan"]


@dataclass(slots=True)
class Request:
    """One request from outside.

    Attributes:
        user, uid, groups: who asks, as authentication found out.
        trace: the id that everything this request causes will carry.
        dry_run: do everything but the commit.
        field_validation: what an unknown field means: refusal, a warning, or nothing.
        warnings: what the client is to be told (`Warning` headers); the verbs add to it.
    """

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    trace: str = ""
    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    field_manager: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Which objects, from which revision, and how many at once.

    Attributes:
        limit: at most so many (0: all). `token`: the `continue` of the answer before.
        version, match: `resourceVersion` and `resourceVersionMatch`.
    """

    labels: Selector = selectors.EVERYTHING
    fields: FieldSelector = field_selectors.EVERYTHING
    limit: int = 0
    token: str = ""
    version: str = ""
    match: VersionMatch = ""


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete. `grace` is in seconds; `uid` and `version` are preconditions (None: any)."""

    grace: int | None = None
    propagation: Propagation = "Background"
    uid: str | None = None
    version: str | None = None

    @classmethod
    def of(cls, raw: Any) -> DeleteOptions:
        """The options in a `DeleteOptions` object, or the defaults if there is none.

        Raises:
            BadRequest: a field has the wrong type. Invalid: a field has a value it can't have.
        """
        if raw is None or raw == {}:
            return cls()
        given, _ = decode(kinds.DELETE_OPTIONS, raw)
        if given.get("kind") not in (None, "", "DeleteOptions"):
            raise BadRequest(f"{given['kind']} cannot be handled as a DeleteOptions")
        grace = given.get("gracePeriodSeconds")
        if grace is not None and grace < 0:
            # Kubernetes: negative values are treated as 1, the least grace there is.
            grace = 1
        preconditions = given.get("preconditions") or {}
        return cls(
            grace,
            _propagation(given),
            preconditions.get("uid"),
            preconditions.get("resourceVersion"),
        )


def _propagation(raw: dict[str, Any]) -> Propagation:
    orphan, policy = raw.get("orphanDependents"), raw.get("propagationPolicy")
    if orphan is not None and policy is not None:
        raise _invalid(
            "propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"
        )
    if policy is not None:
        if policy not in ("Foreground", "Background", "Orphan"):
            raise _invalid("propagationPolicy", policy, "DeletionPropagation need to be one of "
                           '"Foreground", "Background", "Orphan" or nil')  # fmt: skip
        return cast(Propagation, policy)
    return "Orphan" if orphan else "Background"


def _invalid(name: str, value: str, why: str) -> Invalid:
    message = f'Invalid value: "{value}": {why}'
    return Invalid(
        f'DeleteOptions.meta.k8s.io "" is invalid: {name}: {message}',
        group="meta.k8s.io",
        resource="DeleteOptions",
        causes=[Cause(name, "FieldValueInvalid", message)],
    )
