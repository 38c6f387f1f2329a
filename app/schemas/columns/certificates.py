"""The table of certificate signing requests."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, NONE
from app.schemas.duration import human
from app.schemas.kind import Column


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _lasts(obj: Object) -> str:
    seconds = _spec(obj).get("expirationSeconds")
    return NONE if seconds is None else human(seconds)


def _condition(obj: Object) -> str:
    status = obj.get("status") or {}
    types = {condition.get("type") for condition in status.get("conditions") or ()}
    words = [
        *(["Denied"] if "Denied" in types else ["Approved"] if "Approved" in types else ["Pending"]),
        *(["Failed"] if "Failed" in types else []),
        *(["Issued"] if status.get("certificate") else []),
    ]
    return ",".join(words)


REQUEST = (
    NAME,
    AGE,
    Column(
        "SignerName",
        "string",
        lambda obj, _: _spec(obj).get("signerName") or NONE,
        description="Who is to sign it.",
    ),
    Column("Requestor", "string", lambda obj, _: _spec(obj).get("username", ""), description="Who asked."),
    Column(
        "RequestedDuration", "string", lambda obj, _: _lasts(obj), description="How long it is to be valid."
    ),
    Column("Condition", "string", lambda obj, _: _condition(obj), description="What became of it."),
)
