"""authorization.k8s.io/v1: reviews, by which one asks what may be done. Nothing of them is stored.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

from app.schemas.fields import Boolean, ListOf, MapOf, String, Struct, Type
from app.schemas.meta import LabelSelectorRequirement, MetaType, ObjectMeta

GROUP = "authorization.k8s.io"


class FieldSelectorRequirement(MetaType):
    """One condition on a field."""

    key = String("The field.", required=True, keep_zero=True)
    operator = String(
        "In, NotIn, Exists or DoesNotExist.", go="v1.FieldSelectorOperator", required=True, keep_zero=True
    )
    values = ListOf(String(), list_type="atomic")


class Authorization(Type):
    """Types of this group."""

    package = "io.k8s.api.authorization.v1"


class FieldSelectorAttributes(Authorization):
    """The field selector of a list, watch or deletecollection."""

    rawSelector = String("As in the query of a request.")
    requirements = ListOf(Struct(FieldSelectorRequirement), list_type="atomic")


class LabelSelectorAttributes(Authorization):
    """The label selector of a list, watch or deletecollection."""

    rawSelector = String("As in the query of a request.")
    requirements = ListOf(Struct(LabelSelectorRequirement), list_type="atomic")


class ResourceAttributes(Authorization):
    """A request for a resource."""

    namespace = String("Empty for all of them, and for what lives in none.")
    verb = String("Such as get, list, create, or `*`.")
    group = String("API group; `*` for all.")
    version = String("API version; `*` for all.")
    resource = String("Plural name; `*` for all.")
    subresource = String("Such as log.")
    name = String("Of the object; empty for all.")
    fieldSelector = Struct(FieldSelectorAttributes)
    labelSelector = Struct(LabelSelectorAttributes)


class NonResourceAttributes(Authorization):
    """A request for a path that is no resource."""

    path = String("The path of the URL.")
    verb = String("The HTTP method in small letters.")


class SubjectAccessReviewSpec(Authorization):
    """What is asked, and about whom."""

    resourceAttributes = Struct(ResourceAttributes, "A request for a resource.")
    nonResourceAttributes = Struct(NonResourceAttributes, "A request for another path.")
    user = String("Who would ask.")
    groups = ListOf(String(), "The groups they are in.", list_type="atomic")
    extra = MapOf(ListOf(String(), go="v1.ExtraValue"), "What else is known of them.")
    uid = String("Their uid.")


class SelfSubjectAccessReviewSpec(Authorization):
    """What is asked by whoever asks."""

    resourceAttributes = Struct(ResourceAttributes, "A request for a resource.")
    nonResourceAttributes = Struct(NonResourceAttributes, "A request for another path.")


class SubjectAccessReviewStatus(Authorization):
    """The answer."""

    allowed = Boolean("Whether it is allowed.", required=True, keep_zero=True)
    denied = Boolean("Whether nothing else may allow it.")
    reason = String("Why.")
    evaluationError = String("What went wrong in finding out.")


class SubjectAccessReview(Authorization):
    """Asks whether a user may do something."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(SubjectAccessReviewSpec, "What is asked.", by_value=True)
    status = Struct(SubjectAccessReviewStatus, "The answer, set by the server.")


class LocalSubjectAccessReview(Authorization):
    """Asks whether a user may do something within one namespace."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(SubjectAccessReviewSpec, "What is asked.", by_value=True)
    status = Struct(SubjectAccessReviewStatus, "The answer, set by the server.")


class SelfSubjectAccessReview(Authorization):
    """Asks whether one may do something oneself."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(SelfSubjectAccessReviewSpec, "What is asked.", by_value=True)
    status = Struct(SubjectAccessReviewStatus, "The answer, set by the server.")


class ResourceRule(Authorization):
    """Something one may do to resources."""

    verbs = ListOf(String(), required=True, keep_zero=True, list_type="atomic")
    apiGroups = ListOf(String(), list_type="atomic")
    resources = ListOf(String(), list_type="atomic")
    resourceNames = ListOf(String(), list_type="atomic")


class NonResourceRule(Authorization):
    """Something one may do with other paths."""

    verbs = ListOf(String(), required=True, keep_zero=True, list_type="atomic")
    nonResourceURLs = ListOf(String(), list_type="atomic")


class SelfSubjectRulesReviewSpec(Authorization):
    """Where."""

    namespace = String("The namespace that is asked about.")


class SubjectRulesReviewStatus(Authorization):
    """All one may do there."""

    resourceRules = ListOf(Struct(ResourceRule), required=True, keep_zero=True, list_type="atomic")
    nonResourceRules = ListOf(Struct(NonResourceRule), required=True, keep_zero=True, list_type="atomic")
    incomplete = Boolean("Whether there may be more.", required=True, keep_zero=True)
    evaluationError = String("What went wrong in finding out.")


class SelfSubjectRulesReview(Authorization):
    """Asks for all that one may do in a namespace."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(SelfSubjectRulesReviewSpec, "What is asked.", by_value=True)
    status = Struct(SubjectRulesReviewStatus, "The answer, set by the server.")
