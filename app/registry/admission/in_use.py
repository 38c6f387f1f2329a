"""StorageObjectInUseProtection: a claim or a volume is not removed while something uses it.

The finalizer holds it; its controller takes the finalizer away.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from __future__ import annotations

from app.registry.admission.attributes import Attributes, Surroundings

FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}


def mutate(attributes: Attributes, around: Surroundings) -> None:
    """Put the finalizer on what is new."""
    obj = attributes.obj
    if obj is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    own = FINALIZERS[attributes.kind.resource]
    meta = obj["metadata"]
    present = list(meta.get("finalizers") or ())
    if own not in present:
        attributes.obj = {**obj, "metadata": {**meta, "finalizers": [*present, own]}}
