"""policy/v1: disruption budgets, and the body of the `eviction` subresource."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, IntOrString, ListOf, MapOf, String, Struct, Time, Type
from app.schemas.meta import Condition, DeleteOptions, LabelSelector, ObjectMeta


class Policy(Type):
    """Types of this group."""

    package = "io.k8s.api.policy.v1"


class Eviction(Policy):
    """Asks for a pod to be deleted as gently as its budget demands."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    deleteOptions = Struct(DeleteOptions)


class PodDisruptionBudgetSpec(Policy):
    """How many of which pods may be missing."""

    minAvailable = IntOrString("How many must stay, as a number or share.")
    selector = Struct(LabelSelector, "Which pods are counted.", merge_strategy="replace")
    maxUnavailable = IntOrString("How many may be missing, as a number or share.")
    unhealthyPodEvictionPolicy = String(
        "Whether pods that are not ready may always go.",
        go="v1.UnhealthyPodEvictionPolicyType",
        keep_zero=True,
        choices=("AlwaysAllow", "IfHealthyBudget"),
    )


class PodDisruptionBudgetStatus(Policy):
    """How many pods may be evicted now. Evictions take from it before they delete a pod."""

    observedGeneration = Int64("The generation that this status is of.")
    disruptedPods = MapOf(
        Time(), "Pods whose eviction was granted and that are not yet marked, with its time."
    )
    disruptionsAllowed = Int32("Pods that may be evicted now.", required=True, keep_zero=True)
    currentHealthy = Int32("Pods that are ready.", required=True, keep_zero=True)
    desiredHealthy = Int32("Pods that must be ready.", required=True, keep_zero=True)
    expectedPods = Int32("Pods that there should be.", required=True, keep_zero=True)
    conditions = ListOf(
        Struct(Condition), "Aspects of what was observed, one of each type.", merge_key="type"
    )


class PodDisruptionBudget(Policy):
    """Bounds how many pods may be evicted at a time."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(PodDisruptionBudgetSpec, "What is wanted.", by_value=True)
    status = Struct(PodDisruptionBudgetStatus, "What was observed.", by_value=True)
