"""The table of what a pod's fields ask of a runtime that not every runtime gives.

One line for each field: which feature it needs, which of its values ask for it, and what becomes of a pod whose runtime
lacks the feature. What protects somebody, or what the program in the container can't do without, is REFUSED; what only
bounds or tunes a pod that runs as well without is TOLD, in a Warning Event `NotApplied`. docs/pods.md says it to users.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from workers.runtime.features import Feature


class Fate(Enum):
    """What becomes of a pod that asks for what its runtime lacks."""

    REFUSED = "it is not started"
    TOLD = "it runs without, and an Event says so"


@dataclass(frozen=True, slots=True)
class Need:
    """One field.

    Attributes:
        field: its path; `[]` is any item of a list, and `{c}` any of the three lists of containers.
        feature: what it needs; None is what no runtime has.
        only: the values that ask for it; empty: all but none, nothing and false. but: those among them that don't.
        says: why, or what to do instead; for messages.
    """

    field: str
    feature: Feature | None
    fate: Fate = Fate.REFUSED
    only: tuple[Any, ...] = ()
    but: tuple[Any, ...] = ()
    says: str = ""


C = "spec.{c}[]"
POD_SECURITY, SECURITY = "spec.securityContext", f"{C}.securityContext"
# The usual profile of an engine that has none is no profile.
USUAL = ("RuntimeDefault", "Unconfined")
_WINDOWS = ("gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName", "hostProcess")

ISOLATION = (
    Need(f"{SECURITY}.capabilities.drop", Feature.CAPABILITIES),
    Need(f"{SECURITY}.capabilities.add", Feature.MORE_CAPABILITIES),
    Need(f"{SECURITY}.privileged", Feature.PRIVILEGED),
    Need(f"{SECURITY}.allowPrivilegeEscalation", Feature.NO_NEW_PRIVILEGES, only=(False,)),
    Need(f"{SECURITY}.readOnlyRootFilesystem", Feature.READ_ONLY_ROOT),
    Need(f"{SECURITY}.procMount", Feature.PROC_MOUNT, but=("Default",)),
    Need(f"{POD_SECURITY}.supplementalGroups", Feature.GROUPS),
    Need(f"{POD_SECURITY}.supplementalGroupsPolicy", Feature.IMAGE_GROUPS, but=("Merge",)),
    Need(f"{POD_SECURITY}.fsGroup", Feature.GROUPS, Fate.TOLD),
    Need(f"{POD_SECURITY}.sysctls", Feature.SYSCTLS),
    Need("spec.hostUsers", Feature.USER_NAMESPACES, only=(False,)),
    Need("spec.runtimeClassName", Feature.RUNTIME_CLASSES),
    Need("spec.hostNetwork", Feature.HOST_NETWORK),
    Need("spec.hostPID", Feature.HOST_PID),
    Need("spec.hostIPC", Feature.HOST_IPC),
    Need("spec.shareProcessNamespace", Feature.SHARED_PROCESSES),
    Need("spec.os.name", None, only=("windows",), says="nodes run Linux"),
    *(
        need
        for of in (POD_SECURITY, SECURITY)
        for need in (
            Need(f"{of}.seccompProfile.type", Feature.SECCOMP, Fate.TOLD, only=("RuntimeDefault",)),
            Need(f"{of}.seccompProfile.type", Feature.SECCOMP_PROFILES, only=("Localhost",)),
            Need(f"{of}.appArmorProfile.type", Feature.APPARMOR, but=USUAL),
            *(
                Need(f"{of}.seLinuxOptions.{key}", Feature.SELINUX)
                for key in ("user", "role", "type", "level")
            ),
            *(Need(f"{of}.windowsOptions.{key}", None, says="nodes run Linux") for key in _WINDOWS),
        )
    ),
)

RESOURCES = (
    Need(f"{C}.resources.limits.cpu", Feature.CPU_LIMIT, Fate.TOLD),
    Need(f"{C}.resources.limits.memory", Feature.MEMORY_LIMIT, Fate.TOLD),
    Need("spec.resources.limits.cpu", Feature.CPU_LIMIT, Fate.TOLD),
    Need("spec.resources.limits.memory", Feature.MEMORY_LIMIT, Fate.TOLD),
    Need(f"{C}.resources.limits.ephemeral-storage", Feature.EPHEMERAL_STORAGE, Fate.TOLD),
    Need(f"{C}.resizePolicy", Feature.RESIZE, Fate.TOLD),
)

SCHEDULING = (
    Need("spec.resourceClaims", None),
    Need("spec.schedulingGroup.podGroupName", None, Fate.TOLD),
    Need("spec.evictionResponders", None, Fate.TOLD),
    Need("spec.topologySpreadConstraints[].nodeAffinityPolicy", None, Fate.TOLD, but=("Honor",)),
    Need("spec.topologySpreadConstraints[].nodeTaintsPolicy", None, Fate.TOLD, but=("Ignore",)),
    *(
        Need(f"spec.affinity.{kind}.{rest}", None, Fate.TOLD)
        for kind in ("podAffinity", "podAntiAffinity")
        for rest in (
            "preferredDuringSchedulingIgnoredDuringExecution",
            "requiredDuringSchedulingIgnoredDuringExecution[].matchLabelKeys",
            "requiredDuringSchedulingIgnoredDuringExecution[].mismatchLabelKeys",
        )
    ),
)

NETWORK = (
    Need(f"{C}.ports[].hostPort", Feature.HOST_PORTS),
    Need("spec.setHostnameAsFQDN", Feature.HOSTNAME, Fate.TOLD),
)

HTTP = tuple(
    Need(f"{C}.{of}.httpGet.protocol", None)
    for of in ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle.postStart", "lifecycle.preStop")
)

LIFECYCLE = (Need(f"{C}.terminationMessagePath", Feature.MOUNTS, Fate.TOLD, but=("/dev/termination-log",)),)

# Kinds of volumes that no runtime has.
_FOREIGN = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "gitRepo", "glusterfs", "image", "iscsi", "photonPersistentDisk", "portworxVolume", "quobyte",
    "rbd", "scaleIO", "storageos", "vsphereVolume",
)  # fmt: skip

VOLUMES = (
    Need(f"{C}.volumeDevices", Feature.BLOCK_VOLUMES),
    Need(f"{C}.volumeMounts[].mountPropagation", Feature.SHARED_MOUNTS, only=("Bidirectional",)),
    Need(f"{C}.volumeMounts[].recursiveReadOnly", Feature.RECURSIVE_READ_ONLY, only=("Enabled",)),
    Need(f"{C}.volumeMounts[].bindMountOptions", None),
    Need("spec.volumes[].emptyDir.medium", Feature.MEMORY_VOLUMES, only=("Memory",)),
    Need("spec.volumes[].emptyDir.medium", None, but=("Memory",), says="the only other medium is Memory"),
    Need("spec.volumes[].nfs", Feature.ENGINE_VOLUMES),
    *(Need(f"spec.volumes[].{kind}", None, says="this kind of volume") for kind in _FOREIGN),
    *(
        Need(f"spec.volumes[].projected.sources[].{kind}", None, says="this kind of source")
        for kind in ("clusterTrustBundle", "podCertificate")
    ),
)

NEEDS: tuple[Need, ...] = (*ISOLATION, *RESOURCES, *SCHEDULING, *NETWORK, *LIFECYCLE, *VOLUMES, *HTTP)
