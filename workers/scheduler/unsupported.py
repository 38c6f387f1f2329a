"""What a pod may ask of a scheduler and this one can't answer: it says so rather than place it wrongly."""

from __future__ import annotations

from app.objects.change import Object


def field_of(pod: Object) -> str | None:
    """The path of the first field that is not supported; None if all are."""
    return "spec.resourceClaims" if pod["spec"].get("resourceClaims") else None
