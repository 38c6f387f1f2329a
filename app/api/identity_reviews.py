"""The questions of authentication.k8s.io: whose token is this, and who am I?

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/
"""

from __future__ import annotations

from app.api.authn import Authenticator, User
from app.api.reviews import Review
from app.base.clock import Clock, rfc3339
from app.base.errors import BadRequest
from app.objects.change import Object
from app.registry.request import Request
from app.trust.tokens import BadToken


def reviews(authenticator: Authenticator, clock: Clock) -> dict[str, Review]:
    """What answers each of them, by resource."""

    def token_review(request: Request, review: Object) -> Object:
        spec = review.get("spec") or {}
        if not spec.get("token"):
            raise BadRequest("token is required for TokenReview in authentication")
        asked = tuple(spec.get("audiences") or ())
        try:
            user, audiences = authenticator.of_token(spec["token"], asked)
        except BadToken as exc:
            return {**review, "status": {"user": {}, "error": f"[{exc}]"}}
        status: Object = {"authenticated": True, "user": shown(user), "audiences": list(audiences)}
        return {**review, "status": status}

    def self_subject_review(request: Request, review: Object) -> Object:
        user = User(request.user, request.uid, request.groups, request.extra)
        made = {**review["metadata"], "creationTimestamp": rfc3339(clock.now())}
        return {**review, "metadata": made, "status": {"userInfo": shown(user)}}

    return {
        "tokenreviews.authentication.k8s.io": token_review,
        "selfsubjectreviews.authentication.k8s.io": self_subject_review,
    }


def shown(user: User) -> Object:
    """A user as `UserInfo`."""
    info: Object = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {key: value for key, value in info.items() if value}
