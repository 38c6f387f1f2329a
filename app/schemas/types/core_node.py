"""Nodes: the machines that pods run on."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, ListOf, MapOf, Quantity, String, Struct, Time
from app.schemas.formats import cidr_range, label_value, qualified_name
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core


class ConfigMapNodeConfigSource(Core):
    """A ConfigMap with a node's configuration; no longer used by Kubernetes."""

    namespace = String(required=True, keep_zero=True)
    name = String(required=True, keep_zero=True)
    uid = String(go="types.UID")
    resourceVersion = String()
    kubeletConfigKey = String(required=True, keep_zero=True)


class NodeConfigSource(Core):
    """Where a node's configuration comes from; no longer used by Kubernetes."""

    configMap = Struct(ConfigMapNodeConfigSource)


class NodePodPreemptionPolicy(Core):
    """When pods of the node may be preempted."""

    disableResizePreemption = ListOf(String(), list_type="set")


class Taint(Core):
    """Keeps pods off the node unless they tolerate it."""

    key = String(required=True, keep_zero=True, check=qualified_name)
    value = String(check=label_value)
    effect = String(
        go="v1.TaintEffect",
        required=True,
        keep_zero=True,
        choices=("NoSchedule", "PreferNoSchedule", "NoExecute"),
    )
    timeAdded = Time()


class NodeSpec(Core):
    """How a node is to be used."""

    podCIDR = String("Addresses of its pods.", check=cidr_range)
    podCIDRs = ListOf(String(), merge_strategy="merge", list_type="set")
    providerID = String()
    unschedulable = Boolean("Whether no new pods are placed on it.")
    taints = ListOf(Struct(Taint), "What keeps pods off.")
    configSource = Struct(NodeConfigSource)
    externalID = String()
    podPreemptionPolicy = Struct(NodePodPreemptionPolicy)


class NodeAddress(Core):
    """An address or name of a node."""

    type = String(go="v1.NodeAddressType", required=True, keep_zero=True)
    address = String(required=True, keep_zero=True)


class NodeCondition(Core):
    """One aspect of a node, such as Ready."""

    type = String(go="v1.NodeConditionType", required=True, keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", required=True, keep_zero=True)
    lastHeartbeatTime = Time()
    lastTransitionTime = Time()
    reason = String()
    message = String()


class NodeConfigStatus(Core):
    """Which configuration a node uses; no longer used by Kubernetes."""

    assigned = Struct(NodeConfigSource)
    active = Struct(NodeConfigSource)
    lastKnownGood = Struct(NodeConfigSource)
    error = String()


class DaemonEndpoint(Core):
    """A port of a daemon."""

    Port = Int32(required=True, keep_zero=True)


class NodeDaemonEndpoints(Core):
    """Ports of daemons on the node."""

    kubeletEndpoint = Struct(DaemonEndpoint, by_value=True)


class NodeFeatures(Core):
    """What the runtime of the node can do."""

    supplementalGroupsPolicy = Boolean(keep_zero=True)


class ContainerImage(Core):
    """An image the node has."""

    names = ListOf(String(), keep_zero=True)
    sizeBytes = Int64()


class NodeSwapStatus(Core):
    """Swap of the node."""

    capacity = Int64(keep_zero=True)


class NodeSystemInfo(Core):
    """Versions and identity of the machine."""

    machineID = String(required=True, keep_zero=True)
    systemUUID = String(required=True, keep_zero=True)
    bootID = String(required=True, keep_zero=True)
    kernelVersion = String(required=True, keep_zero=True)
    osImage = String(required=True, keep_zero=True)
    containerRuntimeVersion = String(required=True, keep_zero=True)
    kubeletVersion = String(required=True, keep_zero=True)
    kubeProxyVersion = String(required=True, keep_zero=True)
    operatingSystem = String(required=True, keep_zero=True)
    architecture = String(required=True, keep_zero=True)
    swap = Struct(NodeSwapStatus)
    runningInUserNamespace = Boolean(keep_zero=True)


class NodeRuntimeHandlerFeatures(Core):
    """What a runtime handler can do."""

    recursiveReadOnlyMounts = Boolean(keep_zero=True)
    userNamespaces = Boolean(keep_zero=True)


class NodeRuntimeHandler(Core):
    """A runtime handler of the node."""

    name = String(keep_zero=True)
    features = Struct(NodeRuntimeHandlerFeatures)


class AttachedVolume(Core):
    """A volume attached to the node."""

    name = String(go="v1.UniqueVolumeName", required=True, keep_zero=True)
    devicePath = String(required=True, keep_zero=True)


class NodeStatus(Core):
    """What the node's agent last reported."""

    capacity = MapOf(Quantity(), "What the machine has.")
    allocatable = MapOf(Quantity(), "What pods may use.")
    phase = String(go="v1.NodePhase")
    conditions = ListOf(
        Struct(NodeCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )
    addresses = ListOf(Struct(NodeAddress), "Addresses and names of the machine.", merge_key="type")
    daemonEndpoints = Struct(NodeDaemonEndpoints, by_value=True)
    nodeInfo = Struct(NodeSystemInfo, by_value=True)
    images = ListOf(Struct(ContainerImage))
    volumesInUse = ListOf(String(go="v1.UniqueVolumeName"))
    volumesAttached = ListOf(Struct(AttachedVolume))
    config = Struct(NodeConfigStatus)
    runtimeHandlers = ListOf(Struct(NodeRuntimeHandler))
    features = Struct(NodeFeatures)
    declaredFeatures = ListOf(String())


class Node(Core):
    """A machine on which pods run."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(NodeSpec, "What is wanted.", by_value=True)
    status = Struct(NodeStatus, "What was observed.", by_value=True)
