"""Which ConfigMaps and Secrets a pod draws on."""

from __future__ import annotations

from collections.abc import Iterator

from app.objects.change import Object

# (field, resource, field with the name) in volumes and their projected sources.
_VOLUMES = (
    ("configMap", "configmaps", "name"),
    ("secret", "secrets", "secretName"),
    ("secret", "secrets", "name"),
)
_SOURCES = (
    ("configMapRef", "configmaps"),
    ("secretRef", "secrets"),
    ("configMapKeyRef", "configmaps"),
    ("secretKeyRef", "secrets"),
)


def references(pod: Object) -> set[tuple[str, str]]:
    """`(resource, namespace/name)` of every ConfigMap and Secret that the pod draws on."""
    spec = pod.get("spec") or {}
    namespace = pod["metadata"].get("namespace", "")
    found = {(resource, name) for resource, name in (*_in_volumes(spec), *_in_environment(spec)) if name}
    found |= {("secrets", ref["name"]) for ref in spec.get("imagePullSecrets") or () if ref.get("name")}
    return {(resource, f"{namespace}/{name}") for resource, name in found}


def _in_volumes(spec: Object) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        for piece in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            for field, resource, name in _VOLUMES:
                yield resource, (piece.get(field) or {}).get(name) or ""


def _in_environment(spec: Object) -> Iterator[tuple[str, str]]:
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        origins = [variable.get("valueFrom") or {} for variable in container.get("env") or ()]
        for origin in (*(container.get("envFrom") or ()), *origins):
            for field, resource in _SOURCES:
                yield resource, (origin.get(field) or {}).get("name") or ""
