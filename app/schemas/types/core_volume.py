"""Volumes of a pod, and what they are filled with."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, ListOf, Quantity, String, StringMap, Struct
from app.schemas.formats import dns_label, file_mode
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_disk import (
    AWSElasticBlockStoreVolumeSource,
    AzureDiskVolumeSource,
    AzureFileVolumeSource,
    CephFSVolumeSource,
    CinderVolumeSource,
    FCVolumeSource,
    FlexVolumeSource,
    FlockerVolumeSource,
    GCEPersistentDiskVolumeSource,
    GlusterfsVolumeSource,
    ISCSIVolumeSource,
    NFSVolumeSource,
    PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource,
    QuobyteVolumeSource,
    RBDVolumeSource,
    ScaleIOVolumeSource,
    StorageOSVolumeSource,
    VsphereVirtualDiskVolumeSource,
)
from app.schemas.types.core_reference import (
    KeyToPath,
    LocalObjectReference,
    ObjectFieldSelector,
    ResourceFieldSelector,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from app.schemas.types.core_resource import VolumeResourceRequirements


class ConfigMapVolumeSource(Core):
    """Files made of a ConfigMap."""

    name = String()
    items = ListOf(Struct(KeyToPath))
    defaultMode = Int32(keep_zero=True, default=420, check=file_mode)
    optional = Boolean(keep_zero=True)
    defaultUser = Int64(keep_zero=True)


class SecretVolumeSource(Core):
    """Files made of a Secret."""

    secretName = String()
    items = ListOf(Struct(KeyToPath))
    defaultMode = Int32(keep_zero=True, default=420, check=file_mode)
    optional = Boolean(keep_zero=True)
    defaultUser = Int64(keep_zero=True)


class DownwardAPIVolumeFile(Core):
    """A file with something known of the pod."""

    path = String("Name of the file.", keep_zero=True, needed=True)
    fieldRef = Struct(ObjectFieldSelector)
    resourceFieldRef = Struct(ResourceFieldSelector)
    mode = Int32(keep_zero=True, check=file_mode)
    user = Int64(keep_zero=True)


class DownwardAPIVolumeSource(Core):
    """Files with what is known of the pod."""

    items = ListOf(Struct(DownwardAPIVolumeFile))
    defaultMode = Int32(keep_zero=True, default=420, check=file_mode)
    defaultUser = Int64(keep_zero=True)


class EmptyDirVolumeSource(Core):
    """A folder that lives as long as the pod."""

    medium = String(go="v1.StorageMedium")
    sizeLimit = Quantity()
    mode = Int32(keep_zero=True)


class HostPathVolumeSource(Core):
    """A file or folder of the node."""

    path = String(required=True, keep_zero=True)
    type = String(go="v1.HostPathType", keep_zero=True, default="")


class GitRepoVolumeSource(Core):
    """A git repository; Kubernetes no longer mounts these."""

    repository = String(required=True, keep_zero=True)
    revision = String()
    directory = String()


class ImageVolumeSource(Core):
    """The files of an image."""

    reference = String()
    pullPolicy = String(go="v1.PullPolicy", choices=("Always", "IfNotPresent", "Never"))


class PersistentVolumeClaimVolumeSource(Core):
    """The volume bound to a claim."""

    claimName = String(required=True, keep_zero=True)
    readOnly = Boolean()


class CSIVolumeSource(Core):
    """An ephemeral volume of a CSI driver."""

    driver = String(required=True, keep_zero=True)
    readOnly = Boolean(keep_zero=True)
    fsType = String(keep_zero=True)
    volumeAttributes = StringMap()
    nodePublishSecretRef = Struct(LocalObjectReference)


class PersistentVolumeClaimSpec(Core):
    """What kind of volume is wanted."""

    accessModes = ListOf(String(go="v1.PersistentVolumeAccessMode"))
    selector = Struct(LabelSelector)
    resources = Struct(VolumeResourceRequirements, by_value=True, default={})
    volumeName = String()
    storageClassName = String(keep_zero=True)
    volumeMode = String(go="v1.PersistentVolumeMode", keep_zero=True, default="Filesystem")
    dataSource = Struct(TypedLocalObjectReference)
    dataSourceRef = Struct(TypedObjectReference)
    volumeAttributesClassName = String(keep_zero=True)


class PersistentVolumeClaimTemplate(Core):
    """The claim to be made for a pod."""

    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(PersistentVolumeClaimSpec, "What is wanted.", required=True, by_value=True)


class EphemeralVolumeSource(Core):
    """A volume that is provisioned for the pod and goes with it."""

    volumeClaimTemplate = Struct(PersistentVolumeClaimTemplate)


class ClusterTrustBundleProjection(Core):
    """Certificates to trust, as a file."""

    name = String(keep_zero=True)
    signerName = String(keep_zero=True)
    labelSelector = Struct(LabelSelector)
    optional = Boolean(keep_zero=True)
    path = String(required=True, keep_zero=True)
    user = Int64(keep_zero=True)


class ConfigMapProjection(Core):
    """Keys of a ConfigMap, as files."""

    name = String()
    items = ListOf(Struct(KeyToPath))
    optional = Boolean(keep_zero=True)


class DownwardAPIProjection(Core):
    """What is known of the pod, as files."""

    items = ListOf(Struct(DownwardAPIVolumeFile))


class PodCertificateProjection(Core):
    """A key and certificate for the pod, as files."""

    signerName = String(required=True)
    keyType = String(required=True)
    maxExpirationSeconds = Int32(keep_zero=True)
    credentialBundlePath = String()
    keyPath = String()
    certificateChainPath = String()
    userAnnotations = StringMap()
    user = Int64(keep_zero=True)


class SecretProjection(Core):
    """Keys of a Secret, as files."""

    name = String()
    items = ListOf(Struct(KeyToPath))
    optional = Boolean(keep_zero=True)


class ServiceAccountTokenProjection(Core):
    """A token of the pod's service account, as a file."""

    audience = String()
    expirationSeconds = Int64(keep_zero=True, default=3600)
    path = String(required=True, keep_zero=True)
    user = Int64(keep_zero=True)


class VolumeProjection(Core):
    """One source of a projected volume."""

    secret = Struct(SecretProjection)
    downwardAPI = Struct(DownwardAPIProjection)
    configMap = Struct(ConfigMapProjection)
    serviceAccountToken = Struct(ServiceAccountTokenProjection)
    clusterTrustBundle = Struct(ClusterTrustBundleProjection)
    podCertificate = Struct(PodCertificateProjection)


class ProjectedVolumeSource(Core):
    """Files from several sources in one folder."""

    sources = ListOf(Struct(VolumeProjection), keep_zero=True)
    defaultMode = Int32(keep_zero=True, default=420, check=file_mode)
    defaultUser = Int64(keep_zero=True)


class Volume(Core):
    """A named volume that containers of the pod can mount."""

    name = String("Unique in the pod.", required=True, keep_zero=True, check=dns_label)
    hostPath = Struct(HostPathVolumeSource, "A file or folder of the node.")
    emptyDir = Struct(EmptyDirVolumeSource, "A folder that lives as long as the pod.")
    gcePersistentDisk = Struct(GCEPersistentDiskVolumeSource)
    awsElasticBlockStore = Struct(AWSElasticBlockStoreVolumeSource)
    gitRepo = Struct(GitRepoVolumeSource)
    secret = Struct(SecretVolumeSource, "Files made of a Secret.")
    nfs = Struct(NFSVolumeSource)
    iscsi = Struct(ISCSIVolumeSource)
    glusterfs = Struct(GlusterfsVolumeSource)
    persistentVolumeClaim = Struct(PersistentVolumeClaimVolumeSource, "The volume bound to a claim.")
    rbd = Struct(RBDVolumeSource)
    flexVolume = Struct(FlexVolumeSource)
    cinder = Struct(CinderVolumeSource)
    cephfs = Struct(CephFSVolumeSource)
    flocker = Struct(FlockerVolumeSource)
    downwardAPI = Struct(DownwardAPIVolumeSource, "Files with what is known of the pod.")
    fc = Struct(FCVolumeSource)
    azureFile = Struct(AzureFileVolumeSource)
    configMap = Struct(ConfigMapVolumeSource, "Files made of a ConfigMap.")
    vsphereVolume = Struct(VsphereVirtualDiskVolumeSource)
    quobyte = Struct(QuobyteVolumeSource)
    azureDisk = Struct(AzureDiskVolumeSource)
    photonPersistentDisk = Struct(PhotonPersistentDiskVolumeSource)
    projected = Struct(ProjectedVolumeSource, "Files from several sources.")
    portworxVolume = Struct(PortworxVolumeSource)
    scaleIO = Struct(ScaleIOVolumeSource)
    storageos = Struct(StorageOSVolumeSource)
    csi = Struct(CSIVolumeSource)
    ephemeral = Struct(EphemeralVolumeSource)
    image = Struct(ImageVolumeSource)
