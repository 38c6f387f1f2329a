"""storage.k8s.io/v1: CSI drivers, what nodes know of them, and the volumes they attach."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, ListOf, Quantity, String, StringMap, Struct, Time
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.core_persistent import PersistentVolumeSpec
from app.schemas.types.storage import Storage


class TokenRequest(Storage):
    """A token of the pod's service account that a driver wants."""

    audience = String(required=True, keep_zero=True)
    expirationSeconds = Int64(keep_zero=True)


class CSIDriverSpec(Storage):
    """What a driver can do and needs."""

    attachRequired = Boolean("Whether its volumes are attached first.", keep_zero=True, default=True)
    podInfoOnMount = Boolean("Whether it wants to know the pod.", keep_zero=True, default=False)
    volumeLifecycleModes = ListOf(
        String(go="v1.VolumeLifecycleMode"),
        "Persistent, Ephemeral or both.",
        list_type="set",
        default=["Persistent"],
    )
    storageCapacity = Boolean("Whether it tells how much there is.", keep_zero=True, default=False)
    fsGroupPolicy = String(go="v1.FSGroupPolicy", keep_zero=True, default="ReadWriteOnceWithFSType")
    tokenRequests = ListOf(Struct(TokenRequest), "Tokens it wants.")
    requiresRepublish = Boolean(keep_zero=True, default=False)
    seLinuxMount = Boolean(keep_zero=True, default=False)
    nodeAllocatableUpdatePeriodSeconds = Int64(keep_zero=True)
    serviceAccountTokenInSecrets = Boolean(keep_zero=True)
    preventPodSchedulingIfMissing = Boolean(keep_zero=True)


class CSIDriver(Storage):
    """A driver for volumes."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(CSIDriverSpec, "What is wanted.", required=True, by_value=True, default={})


class VolumeNodeResources(Storage):
    """How many volumes a node can have."""

    count = Int32(keep_zero=True)


class CSINodeDriver(Storage):
    """A driver on a node."""

    name = String(required=True, keep_zero=True)
    nodeID = String(required=True, keep_zero=True)
    topologyKeys = ListOf(String(), keep_zero=True)
    allocatable = Struct(VolumeNodeResources)


class CSINodeSpec(Storage):
    """The drivers on a node."""

    drivers = ListOf(Struct(CSINodeDriver), keep_zero=True, merge_key="name")


class StorageHealthCondition(Storage):
    """One aspect of the health of a driver's storage."""

    status = String(go="v1.StorageHealthStatusType", required=True, keep_zero=True)
    reason = String(required=True, keep_zero=True)
    message = String()
    accessMode = String(go="v1.PersistentVolumeAccessMode")
    volumeMode = String(go="v1.PersistentVolumeMode")
    lastTransitionTime = Time()


class StorageHealth(Storage):
    """How the storage of a driver is doing on a node."""

    name = String(required=True, keep_zero=True)
    healthConditions = ListOf(Struct(StorageHealthCondition))


class CSINodeStatus(Storage):
    """How the storage of a node is doing."""

    storageHealth = ListOf(Struct(StorageHealth), merge_key="name")


class CSINode(Storage):
    """What a node knows of drivers; it has the node's name."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(CSINodeSpec, "What is wanted.", required=True, by_value=True)
    status = Struct(CSINodeStatus, "What was observed.", by_value=True)


class CSIStorageCapacity(Storage):
    """How much storage of a class there is for some nodes."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    nodeTopology = Struct(LabelSelector, "The nodes that can reach it.", immutable=True)
    storageClassName = String("The class it is of.", required=True, keep_zero=True, immutable=True)
    capacity = Quantity("How much there is.", keep_zero=True)
    maximumVolumeSize = Quantity("How large a volume can be at most.", keep_zero=True)


class VolumeAttachmentSource(Storage):
    """What is attached."""

    persistentVolumeName = String(keep_zero=True)
    inlineVolumeSpec = Struct(PersistentVolumeSpec)


class VolumeAttachmentSpec(Storage):
    """What is attached to which node, by whom."""

    attacher = String(required=True, keep_zero=True)
    nodeName = String(required=True, keep_zero=True)
    source = Struct(VolumeAttachmentSource, required=True, by_value=True)


class VolumeError(Storage):
    """What went wrong, and when."""

    time = Time()
    message = String()
    errorCode = Int32(keep_zero=True)


class VolumeAttachmentStatus(Storage):
    """Whether a volume is attached."""

    attached = Boolean(required=True, keep_zero=True)
    attachmentMetadata = StringMap()
    attachError = Struct(VolumeError)
    detachError = Struct(VolumeError)


class VolumeAttachment(Storage):
    """A volume that is, or is to be, attached to a node."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(VolumeAttachmentSpec, "What is wanted.", required=True, by_value=True)
    status = Struct(VolumeAttachmentStatus, "What was observed.", by_value=True)
