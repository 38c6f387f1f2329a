"""authentication.k8s.io/v1: tokens that are asked for, and questions about who somebody is."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int64, ListOf, MapOf, String, Struct, Time, Type
from app.schemas.meta import ObjectMeta

GROUP = "authentication.k8s.io"


class Authentication(Type):
    """Types of this group."""

    package = "io.k8s.api.authentication.v1"


class UserInfo(Authentication):
    """Who somebody is."""

    username = String("What they are called.")
    uid = String("Unique over all time, where a name may be given again.")
    groups = ListOf(String(), "The groups they are in.", list_type="atomic")
    extra = MapOf(ListOf(String(), go="v1.ExtraValue"), "What else is known of them.")


class BoundObjectReference(Authentication):
    """The object whose end is the token's end."""

    kind = String("Pod, Secret or Node.")
    apiVersion = String("Version of the API of the object.")
    name = String()
    uid = String(go="types.UID")


class TokenRequestSpec(Authentication):
    """What token is wanted."""

    audiences = ListOf(
        String(),
        "For whom it is; empty means the API itself.",
        required=True,
        keep_zero=True,
        list_type="atomic",
    )
    expirationSeconds = Int64("How long it is to be valid, at least 600.", default=3600)
    boundObjectRef = Struct(BoundObjectReference, "The object whose end is the token's end.")


class TokenRequestStatus(Authentication):
    """The token."""

    token = String("The token itself.", required=True, keep_zero=True)
    expirationTimestamp = Time("When it ends.", required=True, keep_zero=True)


class TokenRequest(Authentication):
    """Asks for a token of a ServiceAccount."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(TokenRequestSpec, "What is wanted.", by_value=True, required=True)
    status = Struct(TokenRequestStatus, "What was given.", by_value=True)


class TokenReviewSpec(Authentication):
    """A token, and for whom it ought to be."""

    token = String("The token itself.")
    audiences = ListOf(String(), "For whom it ought to be; empty means the API.", list_type="atomic")


class TokenReviewStatus(Authentication):
    """Whose token it is."""

    authenticated = Boolean("Whether the token is valid.")
    user = Struct(UserInfo, "Whose token it is.", by_value=True)
    audiences = ListOf(String(), "Those of the asked audiences that it is for.", list_type="atomic")
    error = String("Why it could not be told.")


class TokenReview(Authentication):
    """Asks whose token this is."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(TokenReviewSpec, "The token.", by_value=True, required=True)
    status = Struct(TokenReviewStatus, "Whose it is.", by_value=True)


class SelfSubjectReviewStatus(Authentication):
    """Who asks."""

    userInfo = Struct(UserInfo, "Who asks.", by_value=True)


class SelfSubjectReview(Authentication):
    """Asks who oneself is."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    status = Struct(SelfSubjectReviewStatus, "Who asks.", by_value=True)
