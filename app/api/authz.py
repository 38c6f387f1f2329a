"""Authorization: from a request to what is asked for, and the words in which it is refused.

Who may do what is decided in `app.registry.access`.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from __future__ import annotations

from app.api.query import Query
from app.api.routing import Target
from app.api.user import User, account_of
from app.base.errors import BadRequest, Forbidden
from app.objects import field_selectors
from app.objects.field_selectors import FieldSelector
from app.registry.access.access import Access
from app.registry.access.attributes import MASTERS, Asked, AskedPath, Subject
from app.registry.access.nodes import speaks_for
from app.registry.access.refusal import forbidden

_AUTHENTICATION = "authentication.k8s.io"
_COLLECTION = ("list", "watch", "deletecollection")
# Asked for with GET when it comes as a WebSocket, these do as much as with POST.
_INTO_PODS = ("attach", "exec", "portforward")


def verb(method: str, target: Target, watch: bool) -> str:
    """The verb of a request, as access rules name it.
    https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb"""
    if method in ("GET", "HEAD"):
        return "get" if target.name else "watch" if watch else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, method.lower())


def authorize(access: Access, user: User, action: str, target: Target, query: str = "") -> str:
    """Let the request through, or say in Kubernetes's words why not. `query` is the URL's. Returns by which role,
    where that is the reason.

    Raises:
        Forbidden: the user may not do this. StoreUnavailable: that can't be found out now.
    """
    if MASTERS in user.groups:
        access.allowed += 1
        return ""
    reason = check(access, user, asked_of(action, target, query))
    if action == "get" and target.subresource in _INTO_PODS:
        reason = check(access, user, asked_of("create", target, query))
    return reason


def asked_of(action: str, target: Target, query: str = "") -> Asked:
    """What a request asks for. A namespace counts as in itself, and a list that a field selector narrows down to one
    name is about that name (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go)."""
    kind, name, namespace = target.kind, target.name, target.namespace
    fields = field_selectors.EVERYTHING
    if action in _COLLECTION and "fieldSelector" in query:
        fields = _fields(query)
        name = name or fields.exact("metadata.name") or ""
    if kind.plural == "namespaces" and not kind.group:
        namespace = target.name
    return Asked(action, kind.group, kind.plural, target.subresource, namespace, name, fields)


def _fields(query: str) -> FieldSelector:
    """One that can't be read narrows nothing down; it is refused later."""
    try:
        return field_selectors.parse_any(Query(query).text("fieldSelector"))
    except BadRequest:
        return field_selectors.EVERYTHING


def check(access: Access, user: User, asked: Asked) -> str:
    """Why the user may do this. Raises Forbidden unless they may."""
    decision = access.decide(subject_of(user), asked)
    if decision.allowed:
        return decision.reason
    raise forbidden(user.name, asked, decision.reason)


def authorize_path(access: Access, user: User, method: str, path: str) -> None:
    """Let a request through for a path that is no resource.

    Raises:
        Forbidden: the user may not do this. StoreUnavailable: that can't be found out now.
    """
    asked = AskedPath(method.lower(), path)
    decision = access.decide_path(subject_of(user), asked)
    if not decision.allowed:
        because = _because(decision.reason)
        raise Forbidden(f'forbidden: User "{user.name}" cannot {asked.verb} path "{path}"{because}')


def authorize_node(user: User, node: str) -> None:
    """Let an agent speak for `node`.

    Raises:
        Forbidden: it is not this node's.
    """
    if MASTERS in user.groups or speaks_for(subject_of(user), node):
        return
    raise Forbidden(
        f'nodes "{node}" is forbidden: User "{user.name}" cannot speak for this node',
        resource="nodes",
        name=node,
    )


def authorize_impersonation(access: Access, user: User, wanted: User) -> None:
    """May `user` be taken for `wanted`: for this user, each of these groups, this uid, each extra value?

    Raises:
        Forbidden: may not.
    """
    if MASTERS in user.groups:
        return
    account = account_of(wanted.name)
    if account is not None:
        check(access, user, Asked("impersonate", "", "serviceaccounts", "", *account))
    else:
        check(access, user, Asked("impersonate", "", "users", name=wanted.name))
    for group in wanted.groups:
        check(access, user, Asked("impersonate", "", "groups", name=group))
    if wanted.uid:
        check(access, user, Asked("impersonate", _AUTHENTICATION, "uids", name=wanted.uid))
    for key, values in wanted.extra.items():
        for value in values:
            check(access, user, Asked("impersonate", _AUTHENTICATION, "userextras", key, name=value))


def subject_of(user: User) -> Subject:
    """A user as authorization sees it."""
    return Subject(user.name, user.groups, user.uid)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
