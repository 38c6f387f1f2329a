"""What is known of a running pod."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, ListOf, MapOf, Quantity, String, Struct, Time
from app.schemas.formats import ip_address
from app.schemas.types.core_base import Core
from app.schemas.types.core_resource import ResourceRequirements


class ContainerStateWaiting(Core):
    """Why a container has not started."""

    reason = String()
    message = String()


class ContainerStateRunning(Core):
    """Since when a container runs."""

    startedAt = Time()


class ContainerStateTerminated(Core):
    """How a container ended."""

    exitCode = Int32(required=True, keep_zero=True)
    signal = Int32()
    reason = String()
    message = String()
    startedAt = Time()
    finishedAt = Time()
    containerID = String()


class ContainerState(Core):
    """Waiting, running or terminated; at most one is set."""

    waiting = Struct(ContainerStateWaiting)
    running = Struct(ContainerStateRunning)
    terminated = Struct(ContainerStateTerminated)


class ResourceHealth(Core):
    """Health of one device."""

    resourceID = String(go="v1.ResourceID", required=True, keep_zero=True)
    health = String(go="v1.ResourceHealthStatus")
    message = String(keep_zero=True)


class ResourceStatus(Core):
    """Health of a container's devices."""

    name = String(go="v1.ResourceName", required=True, keep_zero=True)
    resources = ListOf(Struct(ResourceHealth), list_type="map", map_keys=("resourceID",))


class LinuxContainerUser(Core):
    """User and groups of a container's first process on Linux."""

    uid = Int64(required=True, keep_zero=True)
    gid = Int64(required=True, keep_zero=True)
    supplementalGroups = ListOf(Int64())


class ContainerUser(Core):
    """User of a container's first process."""

    linux = Struct(LinuxContainerUser)


class ImageVolumeStatus(Core):
    """The image a volume shows."""

    imageRef = String(required=True)


class VolumeStatus(Core):
    """What is known of a mounted volume."""

    image = Struct(ImageVolumeStatus)


class VolumeMountStatus(Core):
    """A mount as it is."""

    name = String(required=True, keep_zero=True)
    mountPath = String(required=True, keep_zero=True)
    readOnly = Boolean()
    recursiveReadOnly = String(go="v1.RecursiveReadOnlyMode", keep_zero=True)
    volumeStatus = Struct(VolumeStatus)


class ContainerStatus(Core):
    """What is known of one container."""

    name = String(required=True, keep_zero=True)
    state = Struct(ContainerState, "What it does now.", by_value=True)
    lastState = Struct(ContainerState, "How its last run ended.", by_value=True)
    ready = Boolean("Whether it passed its readiness probe.", required=True, keep_zero=True)
    restartCount = Int32("How often it was restarted.", required=True, keep_zero=True)
    image = String(required=True, keep_zero=True)
    imageID = String(required=True, keep_zero=True)
    containerID = String()
    started = Boolean(keep_zero=True)
    allocatedResources = MapOf(Quantity())
    resources = Struct(ResourceRequirements)
    volumeMounts = ListOf(Struct(VolumeMountStatus), merge_key="mountPath")
    user = Struct(ContainerUser)
    allocatedResourcesStatus = ListOf(Struct(ResourceStatus), merge_key="name")
    stopSignal = String(go="v1.Signal", keep_zero=True)


class PodCondition(Core):
    """One aspect of a pod, such as Ready or PodScheduled."""

    type = String(go="v1.PodConditionType", required=True, keep_zero=True)
    observedGeneration = Int64()
    status = String("What was observed.", go="v1.ConditionStatus", required=True, keep_zero=True)
    lastProbeTime = Time()
    lastTransitionTime = Time()
    reason = String()
    message = String()


class HostIP(Core):
    """An address of the node."""

    ip = String(required=True, keep_zero=True)


class PodIP(Core):
    """An address of the pod."""

    ip = String(required=True, keep_zero=True, check=ip_address)


class PodResourceClaimStatus(Core):
    """The claim that was made for the pod."""

    name = String(required=True, keep_zero=True)
    resourceClaimName = String(keep_zero=True)


class ContainerExtendedResourceRequest(Core):
    """A container's request that a claim fulfils."""

    containerName = String(required=True, keep_zero=True)
    resourceName = String(required=True, keep_zero=True)
    requestName = String(required=True, keep_zero=True)


class PodExtendedResourceClaimStatus(Core):
    """The claim made for extended resources."""

    requestMappings = ListOf(Struct(ContainerExtendedResourceRequest), required=True, keep_zero=True)
    resourceClaimName = String(required=True, keep_zero=True)


class NodeAllocatableMappedResources(Core):
    """Node resources that a claim takes."""

    name = String(go="v1.ResourceName", required=True, keep_zero=True)
    quantity = Quantity(required=True)


class NodeAllocatableOverheadResources(Core):
    """Node resources that a claim costs in addition."""

    name = String(go="v1.ResourceName", required=True, keep_zero=True)
    perPod = Quantity()
    perContainer = Quantity()


class NodeAllocatableResourceClaimStatus(Core):
    """Node resources of one claim."""

    resourceClaimName = String(required=True, keep_zero=True)
    containers = ListOf(String(), list_type="set")
    mapping = ListOf(Struct(NodeAllocatableMappedResources), merge_key="name")
    overhead = ListOf(Struct(NodeAllocatableOverheadResources), merge_key="name")


class VolumeHealthCondition(Core):
    """One aspect of a volume's health."""

    status = String("What was observed.", go="v1.VolumeHealthStatusType", required=True, keep_zero=True)
    reason = String(required=True, keep_zero=True)
    message = String()


class PodVolumeHealth(Core):
    """Health of one volume of the pod."""

    name = String(required=True, keep_zero=True)
    healthConditions = ListOf(
        Struct(VolumeHealthCondition), merge_key="status", map_keys=("status", "reason")
    )
    lastTransitionTime = Time()


class PodStatus(Core):
    """What the node's agent and the scheduler last saw of the pod."""

    observedGeneration = Int64()
    phase = String("Pending, Running, Succeeded, Failed or Unknown.", go="v1.PodPhase")
    conditions = ListOf(
        Struct(PodCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )
    message = String()
    reason = String("Why it is in this phase, in one word.")
    nominatedNodeName = String()
    hostIP = String("The node's address.")
    hostIPs = ListOf(Struct(HostIP), merge_key="ip", list_type="atomic")
    podIP = String("The pod's address.")
    podIPs = ListOf(Struct(PodIP), merge_key="ip")
    startTime = Time()
    initContainerStatuses = ListOf(Struct(ContainerStatus))
    containerStatuses = ListOf(Struct(ContainerStatus), "State of each container.")
    qosClass = String("Guaranteed, Burstable or BestEffort.", go="v1.PodQOSClass")
    ephemeralContainerStatuses = ListOf(Struct(ContainerStatus))
    resize = String(go="v1.PodResizeStatus")
    resourceClaimStatuses = ListOf(
        Struct(PodResourceClaimStatus), merge_key="name", merge_strategy="merge,retainKeys"
    )
    extendedResourceClaimStatus = Struct(PodExtendedResourceClaimStatus)
    allocatedResources = MapOf(Quantity())
    resources = Struct(ResourceRequirements)
    nodeAllocatableResourceClaimStatuses = ListOf(
        Struct(NodeAllocatableResourceClaimStatus), merge_key="resourceClaimName"
    )
    volumeHealth = ListOf(Struct(PodVolumeHealth), list_type="map", map_keys=("name",))
