"""ReplicationController: what ReplicaSets were before they had LabelSelectors. It is kept like one.

https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/
"""

from __future__ import annotations

from app.objects.change import Object
from workers.controllers import replicaset
from workers.controllers.replicaset import Family
from workers.reconcile.plan import Role

RESOURCE = "replicationcontrollers"


def _selector(controller: Object) -> Object:
    """Its selector is plain labels."""
    return {"matchLabels": controller["spec"].get("selector") or {}}


FAMILY = Family(RESOURCE, "ReplicationController", "replication-controller", _selector)


def role(unreachable_toleration: int) -> Role:
    """The role; see `admitted_pod` for its parameter."""
    return replicaset.role(unreachable_toleration, FAMILY)
