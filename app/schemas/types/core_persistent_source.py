"""What a persistent volume is stored on: as a pod's own volumes (`core_disk`), but with secrets of any namespace."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, String, StringMap, Struct
from app.schemas.types import core_disk
from app.schemas.types.core_base import Core
from app.schemas.types.core_reference import ObjectReference


class SecretReference(Core):
    """A Secret of any namespace."""

    name = String()
    namespace = String()


class AzureFilePersistentVolumeSource(core_disk.AzureFileVolumeSource):
    """A file share of Azure."""

    secretNamespace = String(keep_zero=True)


class CephFSPersistentVolumeSource(core_disk.CephFSVolumeSource):
    """A Ceph file system."""

    secretRef = Struct(SecretReference)


class CinderPersistentVolumeSource(core_disk.CinderVolumeSource):
    """A volume of OpenStack Cinder."""

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


class FlexPersistentVolumeSource(core_disk.FlexVolumeSource):
    """A volume mounted by an executable driver."""

    secretRef = Struct(SecretReference)


class GlusterfsPersistentVolumeSource(core_disk.GlusterfsVolumeSource):
    """A Gluster volume."""

    endpointsNamespace = String(keep_zero=True)


class ISCSIPersistentVolumeSource(core_disk.ISCSIVolumeSource):
    """An iSCSI disk."""

    lun = Int32(keep_zero=True)
    secretRef = Struct(SecretReference)


class LocalVolumeSource(Core):
    """A disk, partition or folder of one node."""

    path = String(required=True, keep_zero=True)
    fsType = String(keep_zero=True)


class RBDPersistentVolumeSource(core_disk.RBDVolumeSource):
    """A Ceph block device."""

    secretRef = Struct(SecretReference)


class ScaleIOPersistentVolumeSource(core_disk.ScaleIOVolumeSource):
    """A ScaleIO volume."""

    secretRef = Struct(SecretReference)
    volumeName = String(required=True)


class StorageOSPersistentVolumeSource(core_disk.StorageOSVolumeSource):
    """A StorageOS volume."""

    secretRef = Struct(ObjectReference)
