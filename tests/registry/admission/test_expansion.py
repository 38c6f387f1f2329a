"""Which claims may ask for more."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import Forbidden

CLASSES = "storageclasses.storage.k8s.io"


@pytest.fixture
def claim(world: Any) -> Any:
    """A bound claim of the class `growing`, which lets volumes grow."""
    made = {"metadata": {"name": "growing"}, "provisioner": "x.example/y", "allowVolumeExpansion": True}
    world.create(CLASSES, made)
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "growing", **asking("1Gi")}
    world.create("persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": spec})
    found = world.must("persistentvolumeclaims", "default/data")
    world.put(
        "persistentvolumeclaims",
        {**found, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}},
        "status",
    )
    return world


def asking(size: str) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": size}}}


def test_a_claim_grows_if_its_class_says_so(claim: Any) -> None:
    claim.patch("persistentvolumeclaims", "data", {"spec": asking("2Gi")})
    claim.patch(CLASSES, "growing", {"allowVolumeExpansion": False})
    with pytest.raises(Forbidden, match="only dynamically provisioned pvc can be resized"):
        claim.patch("persistentvolumeclaims", "data", {"spec": asking("3Gi")})
    claim.patch("persistentvolumeclaims", "data", {"metadata": {"labels": {"a": "b"}}})
