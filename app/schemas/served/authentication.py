"""API group authentication.k8s.io: questions, which are answered and not stored."""

from __future__ import annotations

from app.schemas.columns.column import DEFAULT
from app.schemas.kind import Kind
from app.schemas.types import authentication

_ASKED = ("create",)

KINDS: tuple[Kind, ...] = (
    Kind(
        authentication.GROUP, "v1", "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview", False,
        authentication.SelfSubjectReview, columns=DEFAULT, verbs=_ASKED,
    ),
    Kind(
        authentication.GROUP, "v1", "TokenReview", "tokenreviews", "tokenreview", False,
        authentication.TokenReview, columns=DEFAULT, verbs=_ASKED,
    ),
)  # fmt: skip

# The body of a ServiceAccount's subresource `token`.
TOKEN_REQUEST = Kind(
    authentication.GROUP, "v1", "TokenRequest", "tokenrequests", "tokenrequest", True,
    authentication.TokenRequest, verbs=(),
)  # fmt: skip
