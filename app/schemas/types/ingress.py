"""networking.k8s.io/v1: Ingresses, by which HTTP from outside finds its service, and their classes."""

from __future__ import annotations

from app.schemas.fields import Int32, ListOf, String, Struct, Type
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_reference import TypedLocalObjectReference


class Networking(Type):
    """Types of this group."""

    package = "io.k8s.api.networking.v1"


class ServiceBackendPort(Networking):
    """A port of a service, by its number or name."""

    name = String()
    number = Int32()


class IngressServiceBackend(Networking):
    """A service that takes requests."""

    name = String(required=True, keep_zero=True)
    port = Struct(ServiceBackendPort, by_value=True)


class IngressBackend(Networking):
    """What takes requests: a service, or some other object."""

    service = Struct(IngressServiceBackend)
    resource = Struct(TypedLocalObjectReference)


class HTTPIngressPath(Networking):
    """Paths, and what takes requests for them."""

    path = String("A path, or the start of paths.")
    pathType = String(
        "Exact, Prefix or ImplementationSpecific.", go="v1.PathType", keep_zero=True, needed=True
    )
    backend = Struct(IngressBackend, "What takes requests for them.", by_value=True, needed=True)


class HTTPIngressRuleValue(Networking):
    """Paths of a host."""

    paths = ListOf(Struct(HTTPIngressPath), required=True, keep_zero=True)


class IngressRule(Networking):
    """A host, and what takes requests for it."""

    host = String("Name of the host; empty stands for all. It may begin with *.")
    http = Struct(HTTPIngressRuleValue)


class IngressTLS(Networking):
    """A certificate, and the hosts it is for."""

    hosts = ListOf(String(), "Hosts that the certificate is for.")
    secretName = String("The Secret with the certificate.")


class IngressSpec(Networking):
    """Which requests go where."""

    ingressClassName = String("The class it is of, and so who carries it out.", keep_zero=True)
    defaultBackend = Struct(IngressBackend, "What takes requests that no rule is for.")
    tls = ListOf(Struct(IngressTLS), "Certificates.")
    rules = ListOf(Struct(IngressRule), "Hosts and paths, and what takes requests for them.")


class IngressPortStatus(Networking):
    """A port that is open, or why it isn't."""

    port = Int32(required=True, keep_zero=True)
    protocol = String(go="v1.Protocol", required=True, keep_zero=True)
    error = String(keep_zero=True)


class IngressLoadBalancerIngress(Networking):
    """An address at which requests arrive."""

    ip = String()
    hostname = String()
    ports = ListOf(Struct(IngressPortStatus))


class IngressLoadBalancerStatus(Networking):
    """Addresses at which requests arrive."""

    ingress = ListOf(Struct(IngressLoadBalancerIngress))


class IngressStatus(Networking):
    """Where an Ingress can be reached."""

    loadBalancer = Struct(IngressLoadBalancerStatus, by_value=True)


class Ingress(Networking):
    """Leads HTTP requests to services, by host and path."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(IngressSpec, "What is wanted.", by_value=True)
    status = Struct(IngressStatus, "What was observed.", by_value=True)


class IngressClassParametersReference(Networking):
    """An object with settings of a class."""

    apiGroup = String(keep_zero=True)
    kind = String("Kind of the object.", required=True, keep_zero=True)
    name = String(required=True, keep_zero=True)
    scope = String("Cluster or Namespace.", keep_zero=True, default="Cluster")
    namespace = String(keep_zero=True)


class IngressClassSpec(Networking):
    """Who carries out Ingresses of a class."""

    controller = String("Name of the controller, as example.com/ingress.", immutable=True)
    parameters = Struct(IngressClassParametersReference, "Settings of the controller.")


class IngressClass(Networking):
    """A kind of Ingress, and who carries it out."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(IngressClassSpec, "What is wanted.", by_value=True)
