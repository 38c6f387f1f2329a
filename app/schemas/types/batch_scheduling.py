"""What a Job may say about scheduling its pods as one group (batch/v1 and scheduling.k8s.io/v1alpha3).

An alpha feature of Kubernetes 1.37 that is off there by default. As there, the fields are known, so that
strict clients are not refused, and dropped from what is sent.
"""

from __future__ import annotations

from app.schemas.fields import Int32, ListOf, String, Struct, Type


class Scheduling(Type):
    """Types of this group."""

    package = "io.k8s.api.scheduling.v1alpha3"


class WorkloadPodGroupBasicSchedulingPolicy(Scheduling):
    """Each pod for itself."""


class WorkloadPodGroupGangSchedulingPolicy(Scheduling):
    """All together or none."""

    minCount = Int32("How many must fit at least.")


class WorkloadPodGroupSchedulingPolicy(Scheduling):
    """Whether the pods are placed together."""

    basic = Struct(WorkloadPodGroupBasicSchedulingPolicy)
    gang = Struct(WorkloadPodGroupGangSchedulingPolicy)


class TopologyConstraint(Scheduling):
    """Nodes alike in one label."""

    key = String(keep_zero=True)


class WorkloadPodGroupSchedulingConstraints(Scheduling):
    """Where the pods are placed together."""

    topology = ListOf(Struct(TopologyConstraint), list_type="atomic")


class WorkloadPodGroupSingleDisruptionMode(Scheduling):
    """Pods may be disrupted one by one."""


class WorkloadPodGroupAllDisruptionMode(Scheduling):
    """Pods may be disrupted together only."""


class WorkloadPodGroupDisruptionMode(Scheduling):
    """How the pods may be disrupted."""

    single = Struct(WorkloadPodGroupSingleDisruptionMode)
    all = Struct(WorkloadPodGroupAllDisruptionMode)


class WorkloadPodGroupResourceClaim(Scheduling):
    """Devices that the pods share."""

    name = String(keep_zero=True)
    resourceClaimName = String(keep_zero=True)
    resourceClaimTemplateName = String(keep_zero=True)


class JobSchedulingConfiguration(Type):
    """How a Job's pods are scheduled together."""

    package = "io.k8s.api.batch.v1"

    schedulingPolicy = Struct(WorkloadPodGroupSchedulingPolicy)
    schedulingConstraints = Struct(WorkloadPodGroupSchedulingConstraints)
    disruptionMode = Struct(WorkloadPodGroupDisruptionMode)
    resourceClaims = ListOf(Struct(WorkloadPodGroupResourceClaim), merge_key="name")
