"""Pods and the templates they are made from."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, ListOf, MapOf, Quantity, String, StringMap, Struct
from app.schemas.formats import deadline, dns_label, dns_subdomain, ip_address, not_negative, qualified_name
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_container import Container, EphemeralContainer
from app.schemas.types.core_pod_status import PodStatus
from app.schemas.types.core_reference import LocalObjectReference, ObjectReference
from app.schemas.types.core_resource import ResourceRequirements
from app.schemas.types.core_scheduling import Affinity, Toleration, TopologySpreadConstraint
from app.schemas.types.core_security import PodSecurityContext
from app.schemas.types.core_volume import Volume


class PodDNSConfigOption(Core):
    """An option of the resolver."""

    name = String()
    value = String(keep_zero=True)


class PodDNSConfig(Core):
    """Name servers and search domains in addition to those of the policy."""

    nameservers = ListOf(String())
    searches = ListOf(String())
    options = ListOf(Struct(PodDNSConfigOption))


class EvictionResponder(Core):
    """Who answers for an eviction of the pod."""

    name = String(required=True, keep_zero=True)
    priority = Int32(required=True, keep_zero=True)


class HostAlias(Core):
    """A line of the pod's /etc/hosts."""

    ip = String("The address.", keep_zero=True, check=ip_address, needed=True)
    hostnames = ListOf(String())


class PodOS(Core):
    """The operating system the pod is for."""

    name = String(go="v1.OSName", required=True, keep_zero=True, choices=("linux", "windows"))


class PodReadinessGate(Core):
    """A condition that must be true for the pod to be ready."""

    conditionType = String(go="v1.PodConditionType", required=True, keep_zero=True, check=qualified_name)


class PodResourceClaim(Core):
    """A claim the pod uses."""

    name = String(required=True, keep_zero=True)
    resourceClaimName = String(keep_zero=True)
    resourceClaimTemplateName = String(keep_zero=True)


class PodSchedulingGate(Core):
    """A gate that holds the pod back from the scheduler."""

    name = String("Name of the gate.", keep_zero=True, needed=True)


class PodSchedulingGroup(Core):
    """The group of pods it is scheduled with."""

    podGroupName = String(keep_zero=True)


class PodSpec(Core):
    """What is to run, and how."""

    volumes = ListOf(
        Struct(Volume),
        "Volumes that containers can mount.",
        merge_key="name",
        merge_strategy="merge,retainKeys",
    )
    initContainers = ListOf(
        Struct(Container), "What runs, one after another, before the containers start.", merge_key="name"
    )
    containers = ListOf(
        Struct(Container),
        "What runs in the pod; at least one.",
        required=True,
        keep_zero=True,
        merge_key="name",
    )
    ephemeralContainers = ListOf(Struct(EphemeralContainer), merge_key="name")
    restartPolicy = String(
        "Always, OnFailure or Never.",
        go="v1.RestartPolicy",
        default="Always",
        choices=("Always", "OnFailure", "Never"),
    )
    terminationGracePeriodSeconds = Int64(
        "Time between being asked to stop and being killed.", keep_zero=True, default=30, check=not_negative
    )
    activeDeadlineSeconds = Int64("Time after which the pod has failed.", keep_zero=True, check=deadline)
    dnsPolicy = String(
        "Which name servers it asks.",
        go="v1.DNSPolicy",
        default="ClusterFirst",
        choices=("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    )
    nodeSelector = StringMap("Labels a node must have.")
    serviceAccountName = String("Who its programs are, towards the API.", check=dns_subdomain)
    serviceAccount = String()
    automountServiceAccountToken = Boolean(keep_zero=True)
    nodeName = String("The node it runs on; set by the scheduler.", check=dns_subdomain)
    hostNetwork = Boolean("Whether it uses the node's own network.")
    hostPID = Boolean()
    hostIPC = Boolean()
    shareProcessNamespace = Boolean(keep_zero=True)
    securityContext = Struct(PodSecurityContext, "Privileges of all its containers.", default={})
    imagePullSecrets = ListOf(
        Struct(LocalObjectReference), "Credentials for pulling images.", merge_key="name"
    )
    hostname = String(check=dns_label)
    subdomain = String(check=dns_label)
    affinity = Struct(Affinity, "Rules for placement.")
    schedulerName = String("Who places it.", default="default-scheduler")
    tolerations = ListOf(Struct(Toleration), "Taints it puts up with.")
    hostAliases = ListOf(Struct(HostAlias), "Lines for /etc/hosts.", merge_key="ip")
    priorityClassName = String(check=dns_subdomain)
    priority = Int32("Pods of higher priority are placed first.", keep_zero=True)
    dnsConfig = Struct(PodDNSConfig)
    readinessGates = ListOf(Struct(PodReadinessGate))
    runtimeClassName = String(keep_zero=True, check=dns_subdomain)
    enableServiceLinks = Boolean(
        "Whether services of the namespace become environment variables.", keep_zero=True
    )
    preemptionPolicy = String(
        go="v1.PreemptionPolicy", keep_zero=True, choices=("PreemptLowerPriority", "Never")
    )
    overhead = MapOf(Quantity())
    topologySpreadConstraints = ListOf(
        Struct(TopologySpreadConstraint),
        "How evenly pods are spread.",
        merge_key="topologyKey",
        map_keys=("topologyKey", "whenUnsatisfiable"),
    )
    setHostnameAsFQDN = Boolean(keep_zero=True)
    os = Struct(PodOS)
    hostUsers = Boolean(keep_zero=True)
    schedulingGates = ListOf(Struct(PodSchedulingGate), merge_key="name")
    resourceClaims = ListOf(Struct(PodResourceClaim), merge_key="name", merge_strategy="merge,retainKeys")
    resources = Struct(ResourceRequirements)
    hostnameOverride = String(keep_zero=True)
    schedulingGroup = Struct(PodSchedulingGroup)
    evictionResponders = ListOf(Struct(EvictionResponder), merge_key="name")


class PodTemplateSpec(Core):
    """What the pods that are made from it look like."""

    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(PodSpec, "What is wanted.", by_value=True)


class Pod(Core):
    """Containers that run together on one node and share an address."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(PodSpec, "What is wanted.", by_value=True)
    status = Struct(PodStatus, "What was observed.", by_value=True)


class Binding(Core):
    """Ties a pod to a node."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    target = Struct(ObjectReference, required=True, by_value=True)
