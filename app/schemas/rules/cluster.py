"""Which rules hold for the kinds that make up a cluster: its storage, networking, classes, limits and admission.
Those of workloads are in `validate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.schemas.faults import Faults
from app.schemas.fields import Type
from app.schemas.rules import admission as rules_admission
from app.schemas.rules import cel_policy as rules_cel_policy
from app.schemas.rules import classes as rules_class
from app.schemas.rules import driver as rules_driver
from app.schemas.rules import network as rules_network
from app.schemas.rules import quota as rules_quota
from app.schemas.rules import routing as rules_routing
from app.schemas.rules import storage as rules_storage
from app.schemas.types import (
    admission_policy,
    admission_webhook,
    core_persistent,
    core_quota,
    core_volume,
    ingress,
    network_policy,
    node,
    scheduling,
    service_address,
    storage,
    storage_driver,
)

RULES: dict[type[Type], Callable[[Any, str, Faults], None]] = {
    admission_policy.MutatingAdmissionPolicy: rules_cel_policy.mutating_policy,
    admission_policy.MutatingAdmissionPolicyBindingSpec: rules_cel_policy.policy_binding,
    admission_policy.ValidatingAdmissionPolicy: rules_cel_policy.validating_policy,
    admission_policy.ValidatingAdmissionPolicyBindingSpec: rules_cel_policy.validating_binding,
    admission_webhook.MutatingWebhookConfiguration: rules_admission.webhooks,
    admission_webhook.ValidatingWebhookConfiguration: rules_admission.webhooks,
    core_persistent.PersistentVolumeSpec: rules_storage.persistent_volume_spec,
    core_quota.LimitRange: rules_quota.limit_range,
    core_quota.ResourceQuotaSpec: rules_quota.resource_quota_spec,
    core_volume.PersistentVolumeClaimSpec: rules_storage.claim_spec,
    ingress.IngressClassSpec: rules_routing.ingress_class_spec,
    ingress.IngressSpec: rules_routing.ingress_spec,
    network_policy.NetworkPolicySpec: rules_network.network_policy_spec,
    node.RuntimeClass: rules_class.runtime_class,
    scheduling.PriorityClass: rules_class.priority_class,
    service_address.IPAddress: rules_network.ip_address_object,
    service_address.ServiceCIDRSpec: rules_network.service_cidr_spec,
    storage.StorageClass: rules_storage.storage_class,
    storage.VolumeAttributesClass: rules_storage.volume_attributes_class,
    storage_driver.CSIDriver: rules_driver.csi_driver,
    storage_driver.CSINodeSpec: rules_driver.csi_node_spec,
    storage_driver.CSIStorageCapacity: rules_driver.csi_storage_capacity,
    storage_driver.VolumeAttachmentSpec: rules_driver.volume_attachment_spec,
}
