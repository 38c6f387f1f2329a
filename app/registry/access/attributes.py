"""What is asked for, as authorization sees it, and by whom.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#request-attributes-used-in-authorization
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.objects import field_selectors
from app.objects.field_selectors import FieldSelector

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks: a name and the groups it is in."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a resource.

    Attributes:
        namespace: empty for all of them, and for what lives in none; a Namespace counts as in itself.
        name: empty for a collection, unless a field selector names one object of it.
        fields: the field selector of a list, watch or deletecollection.
    """

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    fields: FieldSelector = field(default=field_selectors.EVERYTHING, compare=False)


@dataclass(frozen=True, slots=True)
class AskedPath:
    """One request for a path that is no resource; `verb` is the HTTP method in small letters."""

    verb: str
    path: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why (empty where there is nothing to say)."""

    allowed: bool
    reason: str = ""
