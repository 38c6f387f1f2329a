"""admissionregistration.k8s.io/v1: which requests a webhook or policy is about."""

from __future__ import annotations

from app.schemas.fields import ListOf, String, Struct, Type
from app.schemas.meta import LabelSelector

SCOPES = ("*", "Cluster", "Namespaced")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


class Admission(Type):
    """Types of this group."""

    package = "io.k8s.api.admissionregistration.v1"


class RuleWithOperations(Admission):
    """Operations on resources."""

    operations = ListOf(String(go="v1.OperationType"), "CREATE, UPDATE, DELETE, CONNECT or *.")
    apiGroups = ListOf(String(), "API groups; * means all of them.")
    apiVersions = ListOf(String(), "Versions; * means all of them.")
    resources = ListOf(String(), "Resources, and subresources as pods/log; * means all of them.")
    scope = String(
        "Cluster, Namespaced or *.", go="v1.ScopeType", keep_zero=True, default="*", choices=SCOPES
    )


class NamedRuleWithOperations(RuleWithOperations):
    """Operations on resources, or on some objects of them by name."""

    resourceNames = ListOf(String())


class MatchCondition(Admission):
    """A condition on a request, in CEL."""

    name = String(keep_zero=True, needed=True)
    expression = String(keep_zero=True, needed=True)


class MatchResources(Admission):
    """Which requests a policy is about."""

    namespaceSelector = Struct(LabelSelector, "Labels of the object's namespace.", default={})
    objectSelector = Struct(LabelSelector, "Labels of the object.", default={})
    resourceRules = ListOf(Struct(NamedRuleWithOperations), "Operations it is about.")
    excludeResourceRules = ListOf(Struct(NamedRuleWithOperations), "Operations it is not about.")
    matchPolicy = String(
        "Exact or Equivalent.",
        go="v1.MatchPolicyType",
        keep_zero=True,
        default="Equivalent",
        choices=("Equivalent", "Exact"),
    )
