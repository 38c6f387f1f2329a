"""The tables of roles and bindings."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME
from app.schemas.kind import Column


def _created(obj: Object) -> str:
    return obj["metadata"].get("creationTimestamp") or ""


# kubectl prints when roles were made, not how long ago.
ROLE = (
    NAME,
    Column("Created At", "string", lambda obj, _: _created(obj), description="When it was made."),
)


def _role(binding: Object) -> str:
    ref = binding.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def _subjects(binding: Object, kind: str) -> str:
    found = [subject for subject in binding.get("subjects") or () if subject.get("kind") == kind]
    return ", ".join(
        f"{subject.get('namespace', '')}/{subject.get('name', '')}"
        if kind == "ServiceAccount"
        else subject.get("name", "")
        for subject in found
    )


BINDING = (
    NAME,
    Column("Role", "string", lambda obj, _: _role(obj), description="What is handed out."),
    AGE,
    Column("Users", "string", lambda obj, _: _subjects(obj, "User"), 1, description="Users who get it."),
    Column("Groups", "string", lambda obj, _: _subjects(obj, "Group"), 1, description="Groups that get it."),
    Column(
        "ServiceAccounts",
        "string",
        lambda obj, _: _subjects(obj, "ServiceAccount"),
        1,
        description="Service accounts that get it.",
    ),
)
