"""Which rules hold for the parts of a pod: volumes, placement, security, names. They are looked at wherever the
part stands, in pods and in templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.schemas import meta
from app.schemas.faults import Faults
from app.schemas.fields import Type
from app.schemas.rules import affinity as rules_affinity
from app.schemas.rules import dns as rules_dns
from app.schemas.rules import meta as rules_meta
from app.schemas.rules import security as rules_security
from app.schemas.rules import volume as rules_volume
from app.schemas.types import core_pod, core_scheduling, core_security, core_volume
from app.schemas.types.core_reference import KeyToPath

RULES: dict[type[Type], Callable[[Any, str, Faults], None]] = {
    KeyToPath: rules_volume.key_to_path,
    core_pod.HostAlias: rules_dns.host_alias,
    core_pod.PodDNSConfig: rules_dns.dns_config,
    core_scheduling.NodeSelector: rules_affinity.node_selector,
    core_scheduling.NodeSelectorTerm: rules_affinity.node_selector_term,
    core_scheduling.PodAffinityTerm: rules_affinity.pod_affinity_term,
    core_scheduling.PreferredSchedulingTerm: rules_affinity.weighted,
    core_scheduling.Toleration: rules_affinity.toleration,
    core_scheduling.TopologySpreadConstraint: rules_affinity.spread,
    core_scheduling.WeightedPodAffinityTerm: rules_affinity.weighted,
    core_security.AppArmorProfile: rules_security.app_armor,
    core_security.PodSecurityContext: rules_security.pod,
    core_security.SeccompProfile: rules_security.seccomp,
    core_security.SecurityContext: rules_security.container,
    core_volume.ConfigMapVolumeSource: rules_volume.config_map,
    core_volume.DownwardAPIProjection: rules_volume.downward_api,
    core_volume.DownwardAPIVolumeSource: rules_volume.downward_api,
    core_volume.EmptyDirVolumeSource: rules_volume.empty_dir,
    core_volume.EphemeralVolumeSource: rules_volume.ephemeral,
    core_volume.HostPathVolumeSource: rules_volume.host_path,
    core_volume.ImageVolumeSource: rules_volume.image,
    core_volume.NFSVolumeSource: rules_volume.nfs,
    core_volume.ProjectedVolumeSource: rules_volume.projected,
    core_volume.SecretVolumeSource: rules_volume.secret,
    meta.LabelSelector: rules_meta.label_selector,
}
