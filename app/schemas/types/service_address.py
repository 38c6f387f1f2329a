"""networking.k8s.io/v1: addresses of services (IPAddress), and the ranges they are from (ServiceCIDR)."""

from __future__ import annotations

from app.schemas.fields import ListOf, String, Struct
from app.schemas.meta import Condition, ObjectMeta
from app.schemas.types.ingress import Networking


class ParentReference(Networking):
    """The object that an address belongs to."""

    group = String()
    resource = String(required=True)
    namespace = String()
    name = String(required=True)


class IPAddressSpec(Networking):
    """Whose address it is."""

    parentRef = Struct(ParentReference, required=True)


class IPAddress(Networking):
    """An address that is taken; it is the name of the object."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(IPAddressSpec, "What is wanted.", by_value=True)


class ServiceCIDRSpec(Networking):
    """Ranges of addresses."""

    cidrs = ListOf(String(), "One range, or one of each family.")


class ServiceCIDRStatus(Networking):
    """Whether addresses are given out of a range."""

    conditions = ListOf(
        Struct(Condition), "Aspects of what was observed, one of each type.", merge_key="type"
    )


class ServiceCIDR(Networking):
    """Ranges of addresses for services."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ServiceCIDRSpec, "What is wanted.", by_value=True)
    status = Struct(ServiceCIDRStatus, "What was observed.", by_value=True)
