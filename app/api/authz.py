"""Authorization: what a user may do.

Administrators (group `system:masters`) may do everything. A node's agent may exchange and upload streams
for its node and read what pods need. Everybody else may look at discovery and health only.
"""

from __future__ import annotations

from app.api.authn import AUTHENTICATED, User
from app.api.routing import Target
from app.base.errors import Forbidden, qualified

MASTERS = "system:masters"
NODES = "system:nodes"
NODE_PREFIX = "system:node:"
# One agent process may speak for every node of its machine.
NODE_AGENT = "system:node-agent"

_READ = frozenset({"get", "list", "watch"})
_NODE_READS = frozenset(
    {
        "configmaps",
        "secrets",
        "services",
        "endpointslices.discovery.k8s.io",
        "endpoints",
        "nodes",
        "pods",
        "namespaces",
    }
)


def verb(method: str, target: Target, watch: bool) -> str:
    """The verb of a request, as access rules name it.
    https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb"""
    if method in ("GET", "HEAD"):
        return "get" if target.name else "watch" if watch else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, method.lower())


def authorize(user: User, action: str, target: Target) -> None:
    """Let the request through, or say in Kubernetes's words why not.

    Raises:
        Forbidden: the user may not do this.
    """
    if MASTERS in user.groups:
        return
    kind = target.kind
    if NODES in user.groups and action in _READ and not target.subresource and kind.resource in _NODE_READS:
        return
    resource = f"{kind.plural}/{target.subresource}" if target.subresource else kind.plural
    where = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    what = qualified(kind.plural, kind.group) + (f' "{target.name}"' if target.name else "")
    raise Forbidden(
        f'{what} is forbidden: User "{user.name}" cannot {action} resource "{resource}" in API group '
        f'"{kind.group}" {where}',
        group=kind.group,
        resource=kind.plural,
        name=target.name,
    )


def authorize_node(user: User, node: str) -> None:
    """Let an agent speak for `node`.

    Raises:
        Forbidden: it is not this node's.
    """
    if MASTERS in user.groups:
        return
    if NODES in user.groups and user.name in (NODE_AGENT, NODE_PREFIX + node):
        return
    raise Forbidden(
        f'nodes "{node}" is forbidden: User "{user.name}" cannot speak for this node',
        resource="nodes",
        name=node,
    )


def impersonated(user: User, name: str, groups: str) -> User:
    """The user that `user` asks to be (`kubectl --as`, `--as-group`).

    Raises:
        Forbidden: only administrators may.
    """
    if MASTERS not in user.groups:
        raise Forbidden(
            f'users "{name}" is forbidden: User "{user.name}" cannot impersonate resource "users" in API group "" '
            "at the cluster scope",
            resource="users",
            name=name,
        )
    given = tuple(group.strip() for group in groups.split(",") if group.strip())
    return User(name, "", (*given, AUTHENTICATED))
