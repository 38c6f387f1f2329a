"""API group storage.k8s.io."""

from __future__ import annotations

from app.schemas.columns import driver as columns_driver
from app.schemas.columns import storage as columns_storage
from app.schemas.kind import Kind
from app.schemas.types import storage, storage_driver

_GROUP = "storage.k8s.io"

KINDS: tuple[Kind, ...] = (
    Kind(
        _GROUP, "v1", "CSIDriver", "csidrivers", "csidriver", False, storage_driver.CSIDriver,
        columns=columns_driver.CSI_DRIVER,
    ),
    Kind(
        _GROUP, "v1", "CSINode", "csinodes", "csinode", False, storage_driver.CSINode,
        columns=columns_driver.CSI_NODE,
    ),
    Kind(
        _GROUP, "v1", "CSIStorageCapacity", "csistoragecapacities", "csistoragecapacity", True,
        storage_driver.CSIStorageCapacity, columns=columns_driver.CSI_STORAGE_CAPACITY,
    ),
    Kind(
        _GROUP, "v1", "StorageClass", "storageclasses", "storageclass", False, storage.StorageClass,
        short_names=("sc",), columns=columns_storage.STORAGE_CLASS,
    ),
    Kind(
        _GROUP, "v1", "VolumeAttachment", "volumeattachments", "volumeattachment", False,
        storage_driver.VolumeAttachment, subresources=frozenset({"status"}),
        columns=columns_driver.VOLUME_ATTACHMENT,
    ),
    Kind(
        _GROUP, "v1", "VolumeAttributesClass", "volumeattributesclasses", "volumeattributesclass",
        False, storage.VolumeAttributesClass, short_names=("vac",),
        columns=columns_storage.VOLUME_ATTRIBUTES_CLASS,
    ),
)  # fmt: skip
