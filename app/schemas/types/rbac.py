"""rbac.authorization.k8s.io/v1: roles say what may be done, bindings say by whom.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from app.schemas.fields import ListOf, String, Struct, Type
from app.schemas.meta import LabelSelector, ObjectMeta

GROUP = "rbac.authorization.k8s.io"


class Rbac(Type):
    """Types of this group."""

    package = "io.k8s.api.rbac.v1"


class PolicyRule(Rbac):
    """Verbs that are allowed, on resources or on paths that are none. `*` stands for all of a list."""

    verbs = ListOf(String(), "What may be done.", keep_zero=True, list_type="atomic")
    apiGroups = ListOf(String(), 'API groups of the resources; "" is core.', list_type="atomic")
    resources = ListOf(
        String(), "Such as `pods`, `pods/log`, `*/scale`: what it may be done to.", list_type="atomic"
    )
    resourceNames = ListOf(String(), "Names of the objects; none means all of them.", list_type="atomic")
    nonResourceURLs = ListOf(
        String(),
        "Paths such as `/healthz`; a `*` at the end stands for all that follows.",
        list_type="atomic",
    )


class Role(Rbac):
    """What may be done within one namespace."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    rules = ListOf(Struct(PolicyRule), "What it allows.", keep_zero=True, list_type="atomic")


class AggregationRule(Rbac):
    """Which other ClusterRoles' rules make up this one's."""

    clusterRoleSelectors = ListOf(
        Struct(LabelSelector),
        "The rules of every ClusterRole that one of them selects are in.",
        list_type="atomic",
    )


class ClusterRole(Rbac):
    """What may be done, in the whole cluster or wherever it is bound."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    rules = ListOf(Struct(PolicyRule), "What it allows.", keep_zero=True, list_type="atomic")
    aggregationRule = Struct(AggregationRule, "Where its rules come from; they are then not its own.")


class Subject(Rbac):
    """A user, a group or a service account."""

    kind = String("User, Group or ServiceAccount.", keep_zero=True)
    apiGroup = String("API group of that kind: empty for service accounts.")
    name = String("Its name.", keep_zero=True)
    namespace = String("Where a service account lives.")


class RoleRef(Rbac):
    """The role that a binding hands out."""

    apiGroup = String("Always rbac.authorization.k8s.io.", default=GROUP)
    kind = String("Role or ClusterRole.", keep_zero=True)
    name = String("Its name.", keep_zero=True)


class RoleBinding(Rbac):
    """Hands out a role within one namespace."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    subjects = ListOf(Struct(Subject), "Who gets it.", list_type="atomic")
    roleRef = Struct(RoleRef, "What they get. It can't be changed.", by_value=True)


class ClusterRoleBinding(Rbac):
    """Hands out a ClusterRole in the whole cluster."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    subjects = ListOf(Struct(Subject), "Who gets it.", list_type="atomic")
    roleRef = Struct(RoleRef, "What they get. It can't be changed.", by_value=True)
