"""Defaults of bindings (kubernetes/pkg/apis/rbac/v1/defaults.go)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.types.rbac import GROUP


def subject(obj: Object) -> None:
    """Users and groups belong to the API group of roles; service accounts to core, which has no name."""
    if not obj.get("apiGroup") and obj.get("kind") in ("User", "Group"):
        obj["apiGroup"] = GROUP
