"""admissionregistration.k8s.io/v1: policies written in CEL, and what binds them."""

from __future__ import annotations

from app.schemas.fields import Int64, ListOf, String, Struct
from app.schemas.meta import Condition, LabelSelector, ObjectMeta
from app.schemas.types.admission_rule import Admission, MatchCondition, MatchResources


class ParamKind(Admission):
    """The kind of objects that a policy takes its parameters from."""

    apiVersion = String("Version of the API of these objects.")
    kind = String("Kind of these objects.")


class ParamRef(Admission):
    """The objects that a policy takes its parameters from."""

    name = String()
    namespace = String()
    selector = Struct(LabelSelector)
    parameterNotFoundAction = String(go="v1.ParameterNotFoundActionType", keep_zero=True)


class Variable(Admission):
    """A name for an expression, for use in others."""

    name = String(keep_zero=True, needed=True)
    expression = String(keep_zero=True, needed=True)


class Validation(Admission):
    """An expression that must be true, and what is said if it is not."""

    expression = String(keep_zero=True, needed=True)
    message = String()
    reason = String(go="v1.StatusReason", keep_zero=True)
    messageExpression = String()


class AuditAnnotation(Admission):
    """A note for the audit log."""

    key = String(keep_zero=True, needed=True)
    valueExpression = String(keep_zero=True, needed=True)


class ValidatingAdmissionPolicySpec(Admission):
    """What must hold of which requests."""

    paramKind = Struct(ParamKind)
    matchConstraints = Struct(MatchResources, "Which requests it is about.", required=True)
    validations = ListOf(Struct(Validation), "What must hold.")
    failurePolicy = String(
        "Whether a request fails with the policy.",
        go="v1.FailurePolicyType",
        keep_zero=True,
        default="Fail",
        choices=("Fail", "Ignore"),
    )
    auditAnnotations = ListOf(Struct(AuditAnnotation))
    matchConditions = ListOf(Struct(MatchCondition), merge_key="name")
    variables = ListOf(Struct(Variable), merge_key="name")


class ExpressionWarning(Admission):
    """What is doubtful about an expression."""

    fieldRef = String(keep_zero=True, required=True)
    warning = String(keep_zero=True, required=True)


class TypeChecking(Admission):
    """What is doubtful about the expressions of a policy."""

    expressionWarnings = ListOf(Struct(ExpressionWarning))


class ValidatingAdmissionPolicyStatus(Admission):
    """What was found about a policy."""

    observedGeneration = Int64()
    typeChecking = Struct(TypeChecking)
    conditions = ListOf(
        Struct(Condition), "Aspects of what was observed.", list_type="map", map_keys=("type",)
    )


class ValidatingAdmissionPolicy(Admission):
    """Rules that requests must keep, written in CEL."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ValidatingAdmissionPolicySpec, "What is wanted.", by_value=True)
    status = Struct(ValidatingAdmissionPolicyStatus, "What was observed.", by_value=True)


class _BindingSpec(Admission):
    policyName = String("The policy.", required=True)
    paramRef = Struct(ParamRef)
    matchResources = Struct(MatchResources, "Which requests, beyond what the policy says.")


class ValidatingAdmissionPolicyBindingSpec(_BindingSpec):
    """Which policy is applied to what, with which parameters."""

    validationActions = ListOf(
        String(go="v1.ValidationAction"), "What happens to requests that don't keep it.", list_type="set"
    )


class ValidatingAdmissionPolicyBinding(Admission):
    """Puts a policy into force."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ValidatingAdmissionPolicyBindingSpec, "What is wanted.", by_value=True)


class ApplyConfiguration(Admission):
    """An expression that gives what is to be applied."""

    expression = String()


class JSONPatch(Admission):
    """An expression that gives a JSON patch."""

    expression = String()


class Mutation(Admission):
    """A change of an object."""

    patchType = String(go="v1.PatchType", keep_zero=True, needed=True)
    applyConfiguration = Struct(ApplyConfiguration)
    jsonPatch = Struct(JSONPatch)


class MutatingAdmissionPolicySpec(Admission):
    """What is changed in which requests."""

    paramKind = Struct(ParamKind)
    matchConstraints = Struct(MatchResources, "Which requests it is about.", required=True)
    variables = ListOf(Struct(Variable))
    mutations = ListOf(Struct(Mutation), "What is changed.")
    failurePolicy = String(
        "Whether a request fails with the policy.",
        go="v1.FailurePolicyType",
        keep_zero=True,
        default="Fail",
        choices=("Fail", "Ignore"),
    )
    matchConditions = ListOf(Struct(MatchCondition), merge_key="name")
    reinvocationPolicy = String(go="v1.ReinvocationPolicyType", choices=("IfNeeded", "Never"), required=True)


class MutatingAdmissionPolicy(Admission):
    """Changes of objects, written in CEL."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(MutatingAdmissionPolicySpec, "What is wanted.", by_value=True)


class MutatingAdmissionPolicyBindingSpec(_BindingSpec):
    """Which policy is applied to what, with which parameters."""


class MutatingAdmissionPolicyBinding(Admission):
    """Puts a policy into force."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(MutatingAdmissionPolicyBindingSpec, "What is wanted.", by_value=True)
