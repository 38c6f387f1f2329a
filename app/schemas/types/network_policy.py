"""networking.k8s.io/v1: NetworkPolicies, which say who may speak with which pods."""

from __future__ import annotations

from app.schemas.fields import Int32, IntOrString, ListOf, String, Struct
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.ingress import Networking


class NetworkPolicyPort(Networking):
    """A port, or a range of them."""

    protocol = String("TCP, UDP or SCTP.", go="v1.Protocol", keep_zero=True, default="TCP")
    port = IntOrString("Number or name.")
    endPort = Int32("Last port of a range that begins with port.", keep_zero=True)


class IPBlock(Networking):
    """A range of addresses, without some of its parts."""

    cidr = String("The range.", required=True, keep_zero=True)


# Python keeps these names for itself.
IPBlock._declared_fields["except"] = ListOf(String(), "Ranges inside that are left out.")


class NetworkPolicyPeer(Networking):
    """Who is meant: pods by their labels, or addresses."""

    podSelector = Struct(LabelSelector)
    namespaceSelector = Struct(LabelSelector)
    ipBlock = Struct(IPBlock)


class NetworkPolicyIngressRule(Networking):
    """Who may speak to the pods, and on which ports."""

    ports = ListOf(Struct(NetworkPolicyPort))


NetworkPolicyIngressRule._declared_fields["from"] = ListOf(Struct(NetworkPolicyPeer))


class NetworkPolicyEgressRule(Networking):
    """To whom the pods may speak, and on which ports."""

    ports = ListOf(Struct(NetworkPolicyPort))
    to = ListOf(Struct(NetworkPolicyPeer))


class NetworkPolicySpec(Networking):
    """Which pods it is about, and who may speak with them."""

    podSelector = Struct(LabelSelector, "The pods it is about.", by_value=True)
    ingress = ListOf(Struct(NetworkPolicyIngressRule), "Who may speak to them.")
    egress = ListOf(Struct(NetworkPolicyEgressRule), "To whom they may speak.")
    policyTypes = ListOf(String(go="v1.PolicyType"), "Ingress, Egress or both.")


class NetworkPolicy(Networking):
    """Says who may speak with which pods; all others may not."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(NetworkPolicySpec, "What is wanted.", by_value=True)
