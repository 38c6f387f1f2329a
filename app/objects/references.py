"""Which ConfigMaps, Secrets and claims a pod draws on, and which class it runs in."""

from __future__ import annotations

from collections.abc import Iterator

from app.objects.change import Object
from app.objects.persistent import CLAIMS, claims_of

RUNTIME_CLASSES = "runtimeclasses.node.k8s.io"
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
    """`(resource, namespace/name)` of every ConfigMap, Secret and PersistentVolumeClaim that the pod draws on; of its
    RuntimeClass the name alone."""
    spec = pod.get("spec") or {}
    namespace = pod["metadata"].get("namespace", "")
    found = {(resource, name) for resource, name in (*_in_volumes(spec), *_in_environment(spec)) if name}
    found |= {("secrets", ref["name"]) for ref in spec.get("imagePullSecrets") or () if ref.get("name")}
    if spec.get("volumes"):
        found |= {(CLAIMS, name) for name in claims_of(pod)}
    drawn = {(resource, f"{namespace}/{name}") for resource, name in found}
    if spec.get("runtimeClassName"):
        drawn.add((RUNTIME_CLASSES, spec["runtimeClassName"]))
    return drawn


def _in_volumes(spec: Object) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        for piece in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            for field, resource, name in _VOLUMES:
                yield resource, (piece.get(field) or {}).get(name) or ""


def _in_environment(spec: Object) -> Iterator[tuple[str, str]]:
    sections = ("containers", "initContainers", "ephemeralContainers")
    for container in (each for section in sections for each in spec.get(section) or ()):
        origins = [variable.get("valueFrom") or {} for variable in container.get("env") or ()]
        for origin in (*(container.get("envFrom") or ()), *origins):
            for field, resource in _SOURCES:
                yield resource, (origin.get(field) or {}).get("name") or ""
