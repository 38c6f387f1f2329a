"""batch/v1: what the failure of a pod means for its Job, and which successes suffice."""

from __future__ import annotations

from app.schemas.fields import Int32, ListOf, String, Struct, Type


class Policy(Type):
    """Types of this group."""

    package = "io.k8s.api.batch.v1"


class PodFailurePolicyOnExitCodesRequirement(Policy):
    """Holds for a pod of which a container ended with one of these codes, or with none of them."""

    containerName = String("The container; any, if absent.", keep_zero=True)
    operator = String("In or NotIn.", go="v1.PodFailurePolicyOnExitCodesOperator", keep_zero=True)
    values = ListOf(Int32(), "Exit codes, ascending.", required=True, keep_zero=True, list_type="set")


class PodFailurePolicyOnPodConditionsPattern(Policy):
    """Holds for a pod with this condition."""

    type = String(go="v1.PodConditionType", keep_zero=True)
    status = String(go="v1.ConditionStatus", default="True")


class PodFailurePolicyRule(Policy):
    """What happens when a pod fails in one way."""

    action = String("FailJob, FailIndex, Ignore or Count.", go="v1.PodFailurePolicyAction", keep_zero=True)
    onExitCodes = Struct(PodFailurePolicyOnExitCodesRequirement)
    onPodConditions = ListOf(Struct(PodFailurePolicyOnPodConditionsPattern), list_type="atomic")


class PodFailurePolicy(Policy):
    """The first rule that holds for a failed pod says what happens; without one it counts."""

    rules = ListOf(Struct(PodFailurePolicyRule), "The rules, in order.", keep_zero=True, list_type="atomic")


class SuccessPolicyRule(Policy):
    """Holds when these indexes, or so many of them, succeeded."""

    succeededIndexes = String("Indexes, as 1,3-5.", keep_zero=True)
    succeededCount = Int32("How many of them suffice.", keep_zero=True)


class SuccessPolicy(Policy):
    """The job succeeded as soon as one of its rules holds."""

    rules = ListOf(Struct(SuccessPolicyRule), "The rules, in order.", keep_zero=True, list_type="atomic")
