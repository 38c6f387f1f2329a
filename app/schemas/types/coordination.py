"""coordination.k8s.io/v1: Leases, by which nodes show that they live."""

from __future__ import annotations

from app.schemas.fields import Int32, MicroTime, String, Struct, Type
from app.schemas.formats import not_negative, positive
from app.schemas.meta import ObjectMeta


class Coordination(Type):
    """Types of this group."""

    package = "io.k8s.api.coordination.v1"


class LeaseSpec(Coordination):
    """Who holds a lease, and until when."""

    holderIdentity = String("Who holds it.", keep_zero=True)
    leaseDurationSeconds = Int32("How long it holds after that.", keep_zero=True, check=positive)
    acquireTime = MicroTime()
    renewTime = MicroTime("When it was last renewed.")
    leaseTransitions = Int32(keep_zero=True, check=not_negative)
    strategy = String(go="v1.CoordinatedLeaseStrategy", keep_zero=True)
    preferredHolder = String(keep_zero=True)


class Lease(Coordination):
    """A right that its holder renews; a node's lease shows that it lives."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(LeaseSpec, "What is wanted.", by_value=True)
