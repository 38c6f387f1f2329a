"""From an HTTP request to what the registry's verbs take."""

from __future__ import annotations

from typing import Any, cast

import orjson

from app.api.query import Query
from app.api.selection import Selection
from app.api.user import User
from app.base.errors import BadRequest, Cause, Invalid
from app.registry.request import DeleteOptions, FieldValidation, ListOptions, Request, VersionMatch

_VALIDATIONS = ("Strict", "Warn", "Ignore")
_MATCHES = ("", "Exact", "NotOlderThan")
# A field manager's name may not be longer.
MANAGER_MAX = 128
# What a method's parameters are called together.
_OPTIONS = {"PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}


def request_of(user: User, trace: str, query: Query, user_agent: str = "", method: str = "POST") -> Request:
    """Who asks, and how. `user_agent` is the header of this name; `method` tells what the options are called.

    Raises:
        Invalid: `dryRun`, `fieldValidation` or `fieldManager` has a value that it can't have.
    """
    options = _OPTIONS.get(method, "CreateOptions")
    dry = query.text("dryRun")
    if dry not in ("", "All"):
        raise _invalid(
            options,
            "dryRun",
            f'Unsupported value: "{dry[:64]}": supported values: "All"',
            "FieldValueNotSupported",
        )
    validation = query.text("fieldValidation") or "Warn"
    if validation not in _VALIDATIONS:
        raise _invalid(
            options,
            "fieldValidation",
            f'Unsupported value: "{validation[:64]}": supported values: "Ignore", "Strict", "Warn"',
            "FieldValueNotSupported",
        )
    manager = query.text("fieldManager")
    if len(manager) > MANAGER_MAX:
        raise _invalid(
            options,
            "fieldManager",
            f"Too long: may not be more than {MANAGER_MAX} bytes",
            "FieldValueTooLong",
        )
    if not manager.isprintable():
        raise _invalid(
            options,
            "fieldManager",
            f"Invalid value: {orjson.dumps(manager).decode()}: should only contain printable characters",
            "FieldValueInvalid",
        )
    return Request(
        user=user.name,
        uid=user.uid,
        groups=user.groups,
        extra=user.extra,
        trace=trace,
        dry_run=bool(dry),
        field_validation=cast(FieldValidation, validation),
        field_manager=manager,
        user_agent=user_agent,
        force=query.flag("force") if query.given("force") else None,
    )


def list_options_of(query: Query, selection: Selection) -> ListOptions:
    """Which objects a list is about, and how many at once.

    Raises:
        BadRequest, Invalid: the parameters contradict each other or make no sense.
    """
    limit = query.number("limit")
    # Watches only are held to it, and yet it has to be a number.
    query.number("timeoutSeconds")
    match = query.text("resourceVersionMatch")
    if match not in _MATCHES:
        raise _forbidden(
            "resourceVersionMatch",
            f'Unsupported value: "{match[:64]}": supported values: "Exact", "NotOlderThan", ""',
            "FieldValueNotSupported",
        )
    if query.given("sendInitialEvents"):
        raise _forbidden(
            "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list", "FieldValueForbidden"
        )
    return ListOptions(
        labels=selection.labels,
        fields=selection.fields,
        limit=max(limit or 0, 0),
        token=query.text("continue"),
        version=query.text("resourceVersion"),
        match=cast(VersionMatch, match),
    )


def delete_options_of(query: Query, raw: Any) -> DeleteOptions:
    """How to delete: as the body says or, where it says nothing, the query.

    Raises:
        BadRequest, Invalid: an option has a type or value that it can't have.
    """
    if raw:
        return DeleteOptions.of(raw)
    given: dict[str, Any] = {}
    grace = query.number("gracePeriodSeconds")
    if grace is not None:
        given["gracePeriodSeconds"] = grace
    if query.text("propagationPolicy"):
        given["propagationPolicy"] = query.text("propagationPolicy")
    if query.given("orphanDependents"):
        given["orphanDependents"] = query.flag("orphanDependents")
    return DeleteOptions.of(given)


def wants_dry_run(raw: Any) -> bool:
    """Whether DeleteOptions ask for a dry run.

    Raises:
        BadRequest: `dryRun` is not a list with nothing but `All` in it.
    """
    asked = raw.get("dryRun") if isinstance(raw, dict) else None
    if asked is None or asked == []:
        return False
    if not isinstance(asked, list) or any(each != "All" for each in asked):
        raise BadRequest('DeleteOptions.dryRun: supported values: "All"')
    return True


def _forbidden(field: str, message: str, reason: str) -> Invalid:
    return _invalid("ListOptions", field, message, reason)


def _invalid(options: str, field: str, message: str, reason: str) -> Invalid:
    return Invalid(
        f'{options}.meta.k8s.io "" is invalid: {field}: {message}',
        group="meta.k8s.io",
        resource=options,
        causes=[Cause(field, reason, message)],
    )
