"""Beanpole's one tree of errors.

`ApiError` and its children are answers of the API: each knows the HTTP code and the reason of the
Kubernetes Status it becomes (https://kubernetes.io/docs/reference/using-api/api-concepts/, and
`StatusReason` in k8s.io/apimachinery). `UserError` is for the person at the command line: it says
what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class BeanpoleError(Exception):
    """Whatever Beanpole raises on purpose."""


class UserError(BeanpoleError):
    """Something the person at the command line can put right. One line: what, and what to do."""


class StoreUnavailable(BeanpoleError):
    """Redis can't be reached, or refuses what Beanpole needs. Retrying later may help."""


class LogTrimmed(BeanpoleError):
    """The change log no longer holds the revisions asked for: reload, or answer 410 Gone."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an object was refused (`StatusCause`): `field` is a path like
    `spec.containers[0].name`, `reason` like `FieldValueRequired`."""

    field: str
    reason: str
    message: str


class ApiError(BeanpoleError):
    """An answer of the API that is not the object asked for.

    Args:
        message: the sentence a client shows.
        resource: plural of the resource concerned, e.g. `pods`; group: its API group.
        name: of the object concerned. kind: of the object concerned (`details.kind` of Invalid).
        causes: what was wrong, field by field.
        retry_after: seconds after which asking again makes sense.
    """

    code = 500
    reason = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        group: str = "",
        resource: str = "",
        name: str = "",
        causes: Sequence[Cause] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.group = group
        self.resource = resource
        self.name = name
        self.causes = tuple(causes)
        self.retry_after = retry_after

    def details(self) -> dict[str, Any]:
        """`Status.details`; empty where nothing is known."""
        known: dict[str, Any] = {}
        if self.name:
            known["name"] = self.name
        if self.group:
            known["group"] = self.group
        if self.resource:
            known["kind"] = self.resource
        if self.causes:
            known["causes"] = [
                {"reason": c.reason, "message": c.message, **({"field": c.field} if c.field else {})}
                for c in self.causes
            ]
        if self.retry_after is not None:
            known["retryAfterSeconds"] = self.retry_after
        return known


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    code, reason = 409, "Conflict"


class Expired(ApiError):
    """A resourceVersion or continue token older than what is kept: list again."""

    code, reason = 410, "Expired"


class TooLarge(ApiError):
    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"


class NotImplementedHere(ApiError):
    """Asked for something Kubernetes has and Beanpole has not yet; docs/plan.md lists it."""

    code, reason = 501, "NotImplemented"


class ServiceUnavailable(ApiError):
    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    code, reason = 504, "Timeout"


def not_found(group: str, resource: str, name: str) -> NotFound:
    """`deployments.apps "web" not found`, as every client expects it."""
    return NotFound(
        f'{qualified(resource, group)} "{name}" not found', group=group, resource=resource, name=name
    )


def already_exists(group: str, resource: str, name: str) -> AlreadyExists:
    return AlreadyExists(
        f'{qualified(resource, group)} "{name}" already exists',
        group=group,
        resource=resource,
        name=name,
    )


def modified(group: str, resource: str, name: str) -> Conflict:
    """The conflict of optimistic concurrency, in Kubernetes's own words."""
    return Conflict(
        f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": the object has been '
        "modified; please apply your changes to the latest version and try again",
        group=group,
        resource=resource,
        name=name,
    )


def qualified(resource: str, group: str) -> str:
    """A GroupResource in text form: `pods`, `deployments.apps`."""
    return f"{resource}.{group}" if group else resource
