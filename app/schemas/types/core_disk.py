"""Volumes on network storage and cloud disks. They decode; an agent says which it can mount."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, ListOf, String, StringMap, Struct
from app.schemas.types.core_base import Core
from app.schemas.types.core_reference import LocalObjectReference


class AWSElasticBlockStoreVolumeSource(Core):
    """A disk of AWS."""

    volumeID = String(required=True, keep_zero=True)
    fsType = String()
    partition = Int32()
    readOnly = Boolean()


class AzureDiskVolumeSource(Core):
    """A disk of Azure."""

    kind = String("Kind of the object.", go="v1.AzureDataDiskKind", keep_zero=True, default="Shared")
    diskName = String(required=True, keep_zero=True)
    diskURI = String(required=True, keep_zero=True)
    cachingMode = String(go="v1.AzureDataDiskCachingMode", keep_zero=True, default="ReadWrite")
    fsType = String(keep_zero=True, default="ext4")
    readOnly = Boolean(keep_zero=True, default=False)


class AzureFileVolumeSource(Core):
    """A file share of Azure."""

    secretName = String(required=True, keep_zero=True)
    shareName = String(required=True, keep_zero=True)
    readOnly = Boolean()


class CephFSVolumeSource(Core):
    """A Ceph file system."""

    monitors = ListOf(String(), required=True, keep_zero=True)
    path = String()
    user = String()
    secretFile = String()
    secretRef = Struct(LocalObjectReference)
    readOnly = Boolean()


class CinderVolumeSource(Core):
    """A volume of OpenStack Cinder."""

    volumeID = String(required=True, keep_zero=True)
    fsType = String()
    readOnly = Boolean()
    secretRef = Struct(LocalObjectReference)


class FCVolumeSource(Core):
    """A Fibre Channel volume."""

    targetWWNs = ListOf(String())
    lun = Int32(keep_zero=True)
    fsType = String()
    readOnly = Boolean()
    wwids = ListOf(String())


class FlexVolumeSource(Core):
    """A volume mounted by an executable driver."""

    driver = String(required=True, keep_zero=True)
    fsType = String()
    secretRef = Struct(LocalObjectReference)
    readOnly = Boolean()
    options = StringMap()


class FlockerVolumeSource(Core):
    """A Flocker data set."""

    datasetName = String()
    datasetUUID = String()


class GCEPersistentDiskVolumeSource(Core):
    """A disk of Google Cloud."""

    pdName = String(required=True, keep_zero=True)
    fsType = String()
    partition = Int32()
    readOnly = Boolean()


class GlusterfsVolumeSource(Core):
    """A Gluster volume."""

    endpoints = String(required=True, keep_zero=True)
    path = String(required=True, keep_zero=True)
    readOnly = Boolean()


class ISCSIVolumeSource(Core):
    """An iSCSI disk."""

    targetPortal = String(required=True, keep_zero=True)
    iqn = String(required=True, keep_zero=True)
    lun = Int32(required=True, keep_zero=True)
    iscsiInterface = String(default="default")
    fsType = String()
    readOnly = Boolean()
    portals = ListOf(String())
    chapAuthDiscovery = Boolean()
    chapAuthSession = Boolean()
    secretRef = Struct(LocalObjectReference)
    initiatorName = String(keep_zero=True)


class NFSVolumeSource(Core):
    """A share of an NFS server."""

    server = String(required=True, keep_zero=True)
    path = String(required=True, keep_zero=True)
    readOnly = Boolean()


class PhotonPersistentDiskVolumeSource(Core):
    """A Photon disk."""

    pdID = String(required=True, keep_zero=True)
    fsType = String()


class PortworxVolumeSource(Core):
    """A Portworx volume."""

    volumeID = String(required=True, keep_zero=True)
    fsType = String()
    readOnly = Boolean()


class QuobyteVolumeSource(Core):
    """A Quobyte volume."""

    registry = String(required=True, keep_zero=True)
    volume = String(required=True, keep_zero=True)
    readOnly = Boolean()
    user = String()
    group = String()
    tenant = String()


class RBDVolumeSource(Core):
    """A Ceph block device."""

    monitors = ListOf(String(), required=True, keep_zero=True)
    image = String(required=True, keep_zero=True)
    fsType = String()
    pool = String(default="rbd")
    user = String(default="admin")
    keyring = String(default="/etc/ceph/keyring")
    secretRef = Struct(LocalObjectReference)
    readOnly = Boolean()


class ScaleIOVolumeSource(Core):
    """A ScaleIO volume."""

    gateway = String(required=True, keep_zero=True)
    system = String(required=True, keep_zero=True)
    secretRef = Struct(LocalObjectReference, required=True)
    sslEnabled = Boolean()
    protectionDomain = String()
    storagePool = String()
    storageMode = String(default="ThinProvisioned")
    volumeName = String()
    fsType = String(default="xfs")
    readOnly = Boolean()


class StorageOSVolumeSource(Core):
    """A StorageOS volume."""

    volumeName = String()
    volumeNamespace = String()
    fsType = String()
    readOnly = Boolean()
    secretRef = Struct(LocalObjectReference)


class VsphereVirtualDiskVolumeSource(Core):
    """A disk of vSphere."""

    volumePath = String(required=True, keep_zero=True)
    fsType = String()
    storagePolicyName = String()
    storagePolicyID = String()
