"""API group authorization.k8s.io: questions, which are answered and not stored."""

from __future__ import annotations

from app.schemas.columns.column import DEFAULT
from app.schemas.kind import Kind
from app.schemas.types import authorization

_ASKED = ("create",)

KINDS: tuple[Kind, ...] = (
    Kind(
        authorization.GROUP, "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews",
        "localsubjectaccessreview", True, authorization.LocalSubjectAccessReview,
        columns=DEFAULT, verbs=_ASKED,
    ),
    Kind(
        authorization.GROUP, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
        "selfsubjectaccessreview", False, authorization.SelfSubjectAccessReview,
        columns=DEFAULT, verbs=_ASKED,
    ),
    Kind(
        authorization.GROUP, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews",
        "selfsubjectrulesreview", False, authorization.SelfSubjectRulesReview,
        columns=DEFAULT, verbs=_ASKED,
    ),
    Kind(
        authorization.GROUP, "v1", "SubjectAccessReview", "subjectaccessreviews",
        "subjectaccessreview", False, authorization.SubjectAccessReview,
        columns=DEFAULT, verbs=_ASKED,
    ),
)  # fmt: skip
