"""Services, and the endpoints behind them."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, IntOrString, ListOf, String, StringMap, Struct
from app.schemas.formats import dns_label, ip_address, port_number, port_or_name
from app.schemas.meta import Condition, ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_reference import ObjectReference


class ServicePort(Core):
    """A port of a service, and the port of its pods."""

    name = String("Needed if there are several ports.", check=dns_label)
    protocol = String(go="v1.Protocol", default="TCP", choices=("SCTP", "TCP", "UDP"))
    appProtocol = String(keep_zero=True)
    port = Int32("Port of the service.", keep_zero=True)
    targetPort = IntOrString("Number or name of the port of its pods.", check=port_or_name)
    nodePort = Int32("Port on every node.", check=port_number)


class ClientIPConfig(Core):
    """How long a client stays with a pod."""

    timeoutSeconds = Int32(keep_zero=True)


class SessionAffinityConfig(Core):
    """Settings of session affinity."""

    clientIP = Struct(ClientIPConfig)


class ServiceSpec(Core):
    """Which pods stand behind the service, and how it is reached."""

    ports = ListOf(Struct(ServicePort), "Its ports.", merge_key="port", map_keys=("port", "protocol"))
    selector = StringMap("Labels of the pods behind it.")
    clusterIP = String("Its address inside the cluster; None makes it headless.")
    clusterIPs = ListOf(String())
    type = String(
        "ClusterIP, NodePort, LoadBalancer or ExternalName.",
        go="v1.ServiceType",
        default="ClusterIP",
        choices=("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    )
    externalIPs = ListOf(String())
    sessionAffinity = String(
        "Whether a client stays with one pod.",
        go="v1.ServiceAffinity",
        default="None",
        choices=("ClientIP", "None"),
    )
    loadBalancerIP = String()
    loadBalancerSourceRanges = ListOf(String())
    externalName = String("The name it stands for.")
    externalTrafficPolicy = String(go="v1.ServiceExternalTrafficPolicy", choices=("Cluster", "Local"))
    healthCheckNodePort = Int32()
    publishNotReadyAddresses = Boolean()
    sessionAffinityConfig = Struct(SessionAffinityConfig)
    ipFamilies = ListOf(String(go="v1.IPFamily"))
    ipFamilyPolicy = String(
        go="v1.IPFamilyPolicy", keep_zero=True, choices=("PreferDualStack", "RequireDualStack", "SingleStack")
    )
    allocateLoadBalancerNodePorts = Boolean(keep_zero=True)
    loadBalancerClass = String(keep_zero=True)
    internalTrafficPolicy = String(
        go="v1.ServiceInternalTrafficPolicy", keep_zero=True, choices=("Cluster", "Local")
    )
    trafficDistribution = String(keep_zero=True)


class PortStatus(Core):
    """State of a port of a load balancer."""

    port = Int32(required=True, keep_zero=True)
    protocol = String(go="v1.Protocol", required=True, keep_zero=True)
    error = String(keep_zero=True)


class LoadBalancerIngress(Core):
    """An address of a load balancer."""

    ip = String()
    hostname = String()
    ipMode = String(go="v1.LoadBalancerIPMode", keep_zero=True)
    ports = ListOf(Struct(PortStatus))


class LoadBalancerStatus(Core):
    """Addresses of a load balancer."""

    ingress = ListOf(Struct(LoadBalancerIngress))


class ServiceStatus(Core):
    """What is known of a service."""

    loadBalancer = Struct(LoadBalancerStatus, by_value=True, default={})
    conditions = ListOf(
        Struct(Condition),
        "Aspects of what was observed, one of each type.",
        merge_key="type",
        map_keys=("type",),
    )


class Service(Core):
    """A stable name and address for a set of pods."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ServiceSpec, "What is wanted.", by_value=True)
    status = Struct(ServiceStatus, "What was observed.", by_value=True, default={})


class EndpointAddress(Core):
    """An address behind a service."""

    ip = String(required=True, keep_zero=True, check=ip_address)
    hostname = String()
    nodeName = String(keep_zero=True)
    targetRef = Struct(ObjectReference)


class EndpointPort(Core):
    """A port behind a service."""

    name = String()
    port = Int32(required=True, keep_zero=True, check=port_number)
    protocol = String(go="v1.Protocol", default="TCP", choices=("SCTP", "TCP", "UDP"))
    appProtocol = String(keep_zero=True)


class EndpointSubset(Core):
    """Addresses that share the same ports."""

    addresses = ListOf(Struct(EndpointAddress))
    notReadyAddresses = ListOf(Struct(EndpointAddress))
    ports = ListOf(Struct(EndpointPort))


class Endpoints(Core):
    """The addresses behind a service, in one object; EndpointSlices are their successor."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    subsets = ListOf(Struct(EndpointSubset))
