"""storage.k8s.io/v1: classes of storage."""

from __future__ import annotations

from app.schemas.fields import Boolean, ListOf, String, StringMap, Struct, Type
from app.schemas.meta import ObjectMeta


class Storage(Type):
    """Types of this group."""

    package = "io.k8s.api.storage.v1"


class TopologySelectorLabelRequirement(Type):
    """A label of a node, and the values it may have."""

    package = "io.k8s.api.core.v1"
    key = String(required=True, keep_zero=True)
    values = ListOf(String(), required=True, keep_zero=True)


class TopologySelectorTerm(Type):
    """Labels of a node that must all be so."""

    package = "io.k8s.api.core.v1"
    matchLabelExpressions = ListOf(Struct(TopologySelectorLabelRequirement))


class StorageClass(Storage):
    """A kind of storage, and who makes volumes of it."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    provisioner = String("Who makes volumes of this class.", required=True, keep_zero=True)
    parameters = StringMap("What the provisioner is told.")
    reclaimPolicy = String(
        "What becomes of a volume when its claim is deleted.",
        go="v1.PersistentVolumeReclaimPolicy",
        keep_zero=True,
        default="Delete",
    )
    mountOptions = ListOf(String())
    allowVolumeExpansion = Boolean("Whether claims may be made larger.", keep_zero=True)
    volumeBindingMode = String(
        "Whether volumes are made at once, or when a pod needs them.",
        go="v1.VolumeBindingMode",
        keep_zero=True,
        default="Immediate",
    )
    allowedTopologies = ListOf(Struct(TopologySelectorTerm))


class VolumeAttributesClass(Storage):
    """Attributes of volumes that can be changed while they are used."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    driverName = String("The CSI driver that knows them.", required=True, keep_zero=True)
    parameters = StringMap("What the driver is told.")
