"""What a pod may ask of a scheduler and this one can't answer: it says so rather than place it wrongly."""

from __future__ import annotations

from app.objects.change import Object

# Resources that are counted; hugepages and devices of plugins are not.
COUNTED = ("cpu", "memory", "ephemeral-storage")


def field_of(pod: Object) -> str | None:
    """The path of the first field that is not supported; None if all are."""
    spec = pod["spec"]
    if spec.get("resourceClaims"):
        return "spec.resourceClaims"
    for kind in ("containers", "initContainers"):
        for position, container in enumerate(spec.get(kind) or ()):
            resources = container.get("resources")
            if not resources:
                continue
            for name in {**(resources.get("limits") or {}), **(resources.get("requests") or {})}:
                if name not in COUNTED:
                    return f"spec.{kind}[{position}].resources[{name}]"
    return None
