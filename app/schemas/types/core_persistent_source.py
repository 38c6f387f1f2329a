"""What a persistent volume is stored on. Unlike a pod's own volumes, these name secrets of any namespace."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, ListOf, String, StringMap, Struct
from app.schemas.types.core_base import Core
from app.schemas.types.core_reference import ObjectReference


class SecretReference(Core):
    """A Secret of any namespace."""

    name = String()
    namespace = String()


class AzureFilePersistentVolumeSource(Core):
    """A file share of Azure."""

    secretName = String(required=True, keep_zero=True)
    shareName = String(required=True, keep_zero=True)
    readOnly = Boolean()
    secretNamespace = String(keep_zero=True)


class CephFSPersistentVolumeSource(Core):
    """A Ceph file system."""

    monitors = ListOf(String(), required=True, keep_zero=True)
    path = String()
    user = String()
    secretFile = String()
    secretRef = Struct(SecretReference)
    readOnly = Boolean()


class CinderPersistentVolumeSource(Core):
    """A volume of OpenStack Cinder."""

    volumeID = String(required=True, keep_zero=True)
    fsType = String()
    readOnly = Boolean()
    secretRef = Struct(SecretReference)


class CSIPersistentVolumeSource(Core):
    """A volume of a CSI driver."""

    driver = String(required=True, keep_zero=True)
    volumeHandle = String(required=True, keep_zero=True)
    readOnly = Boolean()
    fsType = String()
    volumeAttributes = StringMap()
    controllerPublishSecretRef = Struct(SecretReference)
    nodeStageSecretRef = Struct(SecretReference)
    nodePublishSecretRef = Struct(SecretReference)
    controllerExpandSecretRef = Struct(SecretReference)
    nodeExpandSecretRef = Struct(SecretReference)


class FlexPersistentVolumeSource(Core):
    """A volume mounted by an executable driver."""

    driver = String(required=True, keep_zero=True)
    fsType = String()
    secretRef = Struct(SecretReference)
    readOnly = Boolean()
    options = StringMap()


class GlusterfsPersistentVolumeSource(Core):
    """A Gluster volume."""

    endpoints = String(required=True, keep_zero=True)
    path = String(required=True, keep_zero=True)
    readOnly = Boolean()
    endpointsNamespace = String(keep_zero=True)


class ISCSIPersistentVolumeSource(Core):
    """An iSCSI disk."""

    targetPortal = String(required=True, keep_zero=True)
    iqn = String(required=True, keep_zero=True)
    lun = Int32(keep_zero=True)
    iscsiInterface = String(default="default")
    fsType = String()
    readOnly = Boolean()
    portals = ListOf(String())
    chapAuthDiscovery = Boolean()
    chapAuthSession = Boolean()
    secretRef = Struct(SecretReference)
    initiatorName = String(keep_zero=True)


class LocalVolumeSource(Core):
    """A disk, partition or folder of one node."""

    path = String(required=True, keep_zero=True)
    fsType = String(keep_zero=True)


class RBDPersistentVolumeSource(Core):
    """A Ceph block device."""

    monitors = ListOf(String(), required=True, keep_zero=True)
    image = String(required=True, keep_zero=True)
    fsType = String()
    pool = String(default="rbd")
    user = String(default="admin")
    keyring = String(default="/etc/ceph/keyring")
    secretRef = Struct(SecretReference)
    readOnly = Boolean()


class ScaleIOPersistentVolumeSource(Core):
    """A ScaleIO volume."""

    gateway = String(required=True, keep_zero=True)
    system = String(required=True, keep_zero=True)
    secretRef = Struct(SecretReference)
    sslEnabled = Boolean()
    protectionDomain = String()
    storagePool = String()
    storageMode = String(default="ThinProvisioned")
    volumeName = String(required=True)
    fsType = String(default="xfs")
    readOnly = Boolean()


class StorageOSPersistentVolumeSource(Core):
    """A StorageOS volume."""

    volumeName = String()
    volumeNamespace = String()
    fsType = String()
    readOnly = Boolean()
    secretRef = Struct(ObjectReference)
