"""Persistent volumes, and the claims that pods ask for them with."""

from __future__ import annotations

from app.schemas.fields import ListOf, MapOf, Quantity, String, Struct, Time
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_disk import (
    AWSElasticBlockStoreVolumeSource,
    AzureDiskVolumeSource,
    FCVolumeSource,
    FlockerVolumeSource,
    GCEPersistentDiskVolumeSource,
    NFSVolumeSource,
    PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource,
    QuobyteVolumeSource,
    VsphereVirtualDiskVolumeSource,
)
from app.schemas.types.core_persistent_source import (
    AzureFilePersistentVolumeSource,
    CephFSPersistentVolumeSource,
    CinderPersistentVolumeSource,
    CSIPersistentVolumeSource,
    FlexPersistentVolumeSource,
    GlusterfsPersistentVolumeSource,
    ISCSIPersistentVolumeSource,
    LocalVolumeSource,
    RBDPersistentVolumeSource,
    ScaleIOPersistentVolumeSource,
    StorageOSPersistentVolumeSource,
)
from app.schemas.types.core_pod_status import VolumeHealthCondition
from app.schemas.types.core_reference import ObjectReference
from app.schemas.types.core_scheduling import NodeSelector
from app.schemas.types.core_volume import HostPathVolumeSource, PersistentVolumeClaimSpec


class VolumeNodeAffinity(Core):
    """The nodes that a volume can be reached from."""

    required = Struct(NodeSelector)


class PersistentVolumeSpec(Core):
    """What a volume is stored on, how large it is and how it may be used."""

    capacity = MapOf(Quantity(), "How large it is.")
    gcePersistentDisk = Struct(GCEPersistentDiskVolumeSource)
    awsElasticBlockStore = Struct(AWSElasticBlockStoreVolumeSource)
    hostPath = Struct(HostPathVolumeSource, "A folder of the node; for clusters of one node.")
    glusterfs = Struct(GlusterfsPersistentVolumeSource)
    nfs = Struct(NFSVolumeSource, "A share of an NFS server.")
    rbd = Struct(RBDPersistentVolumeSource)
    iscsi = Struct(ISCSIPersistentVolumeSource)
    cinder = Struct(CinderPersistentVolumeSource)
    cephfs = Struct(CephFSPersistentVolumeSource)
    fc = Struct(FCVolumeSource)
    flocker = Struct(FlockerVolumeSource)
    flexVolume = Struct(FlexPersistentVolumeSource)
    azureFile = Struct(AzureFilePersistentVolumeSource)
    vsphereVolume = Struct(VsphereVirtualDiskVolumeSource)
    quobyte = Struct(QuobyteVolumeSource)
    azureDisk = Struct(AzureDiskVolumeSource)
    photonPersistentDisk = Struct(PhotonPersistentDiskVolumeSource)
    portworxVolume = Struct(PortworxVolumeSource)
    scaleIO = Struct(ScaleIOPersistentVolumeSource)
    local = Struct(LocalVolumeSource, "A disk or folder of one node.")
    storageos = Struct(StorageOSPersistentVolumeSource)
    csi = Struct(CSIPersistentVolumeSource, "A volume of a CSI driver.")
    accessModes = ListOf(
        String(go="v1.PersistentVolumeAccessMode"), "From how many nodes it can be used, and how."
    )
    claimRef = Struct(ObjectReference, "The claim it is bound to.")
    persistentVolumeReclaimPolicy = String(
        "What becomes of it when its claim is deleted.",
        go="v1.PersistentVolumeReclaimPolicy",
        default="Retain",
    )
    storageClassName = String("The class it is of; claims of that class may have it.")
    mountOptions = ListOf(String())
    volumeMode = String(
        "Filesystem or Block.", go="v1.PersistentVolumeMode", keep_zero=True, default="Filesystem"
    )
    nodeAffinity = Struct(VolumeNodeAffinity, "The nodes that it can be reached from.")
    volumeAttributesClassName = String(keep_zero=True)


class PersistentVolumeStatus(Core):
    """Whether a volume is bound."""

    phase = String(go="v1.PersistentVolumePhase", default="Pending")
    message = String()
    reason = String()
    lastPhaseTransitionTime = Time(keep_zero=True)


class PersistentVolume(Core):
    """Storage that outlives pods, and that one claim can have."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(PersistentVolumeSpec, "What is wanted.", by_value=True)
    status = Struct(PersistentVolumeStatus, "What was observed.", by_value=True, default={})


class PersistentVolumeClaimCondition(Core):
    """One aspect of a claim, such as Resizing."""

    type = String(go="v1.PersistentVolumeClaimConditionType", keep_zero=True, required=True)
    status = String("What was observed.", go="v1.ConditionStatus", keep_zero=True, required=True)
    lastProbeTime = Time()
    lastTransitionTime = Time()
    reason = String()
    message = String()


class ModifyVolumeStatus(Core):
    """How far a change of a volume's attributes has come."""

    targetVolumeAttributesClassName = String()
    status = String(go="v1.PersistentVolumeClaimModifyVolumeStatus", keep_zero=True, required=True)


class VolumeHealthStatus(Core):
    """How the volume behind a claim is doing."""

    healthConditions = ListOf(
        Struct(VolumeHealthCondition), merge_key="status", map_keys=("status", "reason")
    )
    lastTransitionTime = Time()


class PersistentVolumeClaimStatus(Core):
    """Whether a claim has its volume, and what that volume is like."""

    phase = String(go="v1.PersistentVolumeClaimPhase", default="Pending")
    accessModes = ListOf(String(go="v1.PersistentVolumeAccessMode"))
    capacity = MapOf(Quantity())
    conditions = ListOf(
        Struct(PersistentVolumeClaimCondition),
        "Aspects of what was observed, one of each type.",
        merge_key="type",
    )
    allocatedResources = MapOf(Quantity())
    allocatedResourceStatuses = MapOf(String(go="v1.ClaimResourceStatus"))
    currentVolumeAttributesClassName = String(keep_zero=True)
    modifyVolumeStatus = Struct(ModifyVolumeStatus)
    healthStatus = Struct(VolumeHealthStatus)


class PersistentVolumeClaim(Core):
    """A wish for storage of a certain size and kind."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(PersistentVolumeClaimSpec, "What is wanted.", by_value=True)
    status = Struct(PersistentVolumeClaimStatus, "What was observed.", by_value=True, default={})
