"""What a verb is told besides the object: who asks, and how."""

from __future__ import annotations

from collections.abc import Mapping
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
        user, uid, groups, extra: who asks, as authentication found out.
        trace: the id that everything this request causes will carry.
        dry_run: do everything but the commit.
        field_validation: what an unknown field means: refusal, a warning, or nothing.
        field_manager, user_agent: who the client says it is, for the account of fields (app.registry.managed).
        force: an apply takes fields over from others; None if nothing was said.
        warnings: what the client is to be told (`Warning` headers); the verbs add to it. `annotations`: what the
            audit log is to be told.
    """

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trace: str = ""
    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    field_manager: str = ""
    user_agent: str = ""
    force: bool | None = None
    warnings: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)


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
    """How to delete. `grace` is in seconds; `uid` and `version` are preconditions (None: any). Without a
    `propagation` it is as the kind has it (`remove.propagation_of`). `cascading` is set by the old way of asking for
    one, `orphanDependents: false`."""

    grace: int | None = None
    propagation: Propagation | None = None
    uid: str | None = None
    version: str | None = None
    cascading: bool = False

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
            given.get("orphanDependents") is False,
        )


def _propagation(raw: dict[str, Any]) -> Propagation | None:
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
    if orphan is None:
        return None
    return "Orphan" if orphan else "Background"


def _invalid(name: str, value: str, why: str) -> Invalid:
    message = f'Invalid value: "{value}": {why}'
    return Invalid(
        f'DeleteOptions.meta.k8s.io "" is invalid: {name}: {message}',
        group="meta.k8s.io",
        resource="DeleteOptions",
        causes=[Cause(name, "FieldValueInvalid", message)],
    )
