"""The node authorizer: a node's credential reaches its own Node, its own pods, and what these draw on.

https://kubernetes.io/docs/reference/access-authn-authz/node/
"""

from __future__ import annotations

from collections.abc import Callable

from app.registry.access.attributes import Asked, Decision, Subject
from app.registry.access.drawn import Drawn
from app.store.view import View

NODES = "system:nodes"
NODE_PREFIX = "system:node:"
# One agent process may speak for every node of its machine.
NODE_AGENT = "system:node-agent"
LEASE_NAMESPACE = "kube-node-lease"

_READ = frozenset({"get", "list", "watch"})
_CREATE = frozenset({"create"})
_WRITE = frozenset({"create", "update", "patch"})
_OWNED = frozenset({"get", "create", "update", "patch", "delete"})
_YES = Decision(True)
_NO = Decision(False)

# What every node may do to every object: (group, resource/subresource) -> verbs.
_EVERYWHERE: dict[tuple[str, str], frozenset[str]] = {
    ("", "services"): _READ,
    ("", "endpoints"): _READ,
    ("discovery.k8s.io", "endpointslices"): _READ,
    ("", "events"): _WRITE,
    ("events.k8s.io", "events"): _WRITE,
    ("authentication.k8s.io", "tokenreviews"): _CREATE,
    ("authorization.k8s.io", "subjectaccessreviews"): _CREATE,
    ("authorization.k8s.io", "localsubjectaccessreviews"): _CREATE,
    ("certificates.k8s.io", "certificatesigningrequests"): _CREATE | _READ,
    ("certificates.k8s.io", "certificatesigningrequests/selfnodeclient"): _CREATE,
    ("storage.k8s.io", "csidrivers"): _READ,
    ("node.k8s.io", "runtimeclasses"): _READ,
}


def node_of(subject: Subject) -> str | None:
    """The node whose credential a user has; "" for the agent of several, None for everybody else."""
    if NODES not in subject.groups:
        return None
    if subject.name == NODE_AGENT:
        return ""
    if subject.name.startswith(NODE_PREFIX) and len(subject.name) > len(NODE_PREFIX):
        return subject.name[len(NODE_PREFIX) :]
    return None


def speaks_for(subject: Subject, node: str) -> bool:
    """Whether a user is the agent of this node."""
    return node_of(subject) in ("", node)


class NodeAuthorizer:
    """Decides for nodes by a view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.drawn = Drawn(view)

    def decide(self, subject: Subject, asked: Asked) -> Decision:
        """Whether a node's credential allows the request; never for who is no node."""
        node = node_of(subject)
        if node is None:
            return _NO
        below = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        if asked.verb in _EVERYWHERE.get((asked.group, below), ()):
            return _YES
        rule = _OWN.get((asked.group, below))
        return rule(self, node, asked) if rule else _NO

    def _pod(self, node: str, asked: Asked) -> bool:
        """Whether the pod asked for is on the node."""
        record = self._view.record("pods", f"{asked.namespace}/{asked.name}")
        return record is not None and bool(record.node) and (not node or record.node == node)

    # -- rules ---------------------------------------------------------------------------------------

    def drawn_on(self, node: str, asked: Asked) -> Decision:
        """Secrets, ConfigMaps and volumes: those that the node's pods draw on."""
        if asked.verb not in _READ:
            return Decision(False, "can only read resources of this type")
        return self._related(node, asked)

    def claim_status(self, node: str, asked: Asked) -> Decision:
        if asked.verb not in ("get", "update", "patch"):
            return Decision(False, "can only get/update/patch this type")
        return self._related(node, asked)

    def token(self, node: str, asked: Asked) -> Decision:
        """Tokens of the service accounts that its pods run as."""
        if asked.verb != "create":
            return Decision(False, "can only create tokens for individual service accounts")
        return self._related(node, asked)

    def _related(self, node: str, asked: Asked) -> Decision:
        if not asked.name:
            return Decision(False, "No Object name found")
        key = f"{asked.namespace}/{asked.name}" if asked.namespace else asked.name
        if self.drawn.on(node or None, asked.resource, key):
            return _YES
        return Decision(False, f"no relationship found between node '{node}' and this object")

    def own_node(self, node: str, asked: Asked) -> Decision:
        """Its own Node: read it, make it, change it, tell its status."""
        if asked.verb not in (*_READ, *_WRITE) or (
            asked.subresource and asked.verb not in ("update", "patch")
        ):
            return _NO
        if not node or asked.name == node:
            return _YES
        if asked.verb == "create":
            return _YES  # which one it makes is looked at when its name is known
        verb = "read" if asked.verb in _READ else "modify"
        return Decision(False, f"node '{node}' cannot {verb} all nodes, only its own Node object")

    def own_pods(self, node: str, asked: Asked) -> Decision:
        """Its own pods: read and delete them; create mirror pods, of which the content is looked at later."""
        if asked.verb == "create":
            return _YES
        if asked.verb in ("get", "delete") and asked.name:
            if self._pod(node, asked):
                return _YES
        elif asked.verb in ("list", "watch"):
            chosen = asked.fields.exact("spec.nodeName")
            if chosen and (not node or chosen == node):
                return _YES
            return Decision(False, "can only list/watch pods with spec.nodeName field selector")
        else:
            return _NO
        return Decision(False, f"no relationship found between node '{node}' and this object")

    def own_pods_below(self, node: str, asked: Asked) -> Decision:
        """Tell a pod's status, evict it."""
        verbs = ("create",) if asked.subresource == "eviction" else ("get", "update", "patch")
        if asked.verb not in verbs:
            return _NO
        if self._pod(node, asked):
            return _YES
        return Decision(False, f"no relationship found between node '{node}' and this object")

    def own_lease(self, node: str, asked: Asked) -> Decision:
        """The Lease by which it shows that it lives."""
        if asked.verb not in _OWNED:
            return Decision(False, "can only get, create, update, patch, or delete a node lease")
        if asked.namespace != LEASE_NAMESPACE:
            return Decision(False, f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
        if asked.verb == "create" or not node or asked.name == node:
            return _YES
        return Decision(False, "can only access node lease with the same name as the requesting node")

    def own_csi_node(self, node: str, asked: Asked) -> Decision:
        """What drivers of volumes say of it."""
        if asked.verb not in _OWNED:
            return Decision(False, "can only get, create, update, patch, or delete a CSINode")
        if asked.verb == "create" or not node or asked.name == node:
            return _YES
        return Decision(False, "can only access CSINode with the same name as the requesting node")

    def attachment(self, node: str, asked: Asked) -> Decision:
        """Volumes attached to it."""
        if asked.verb == "get" and asked.name:
            found = self._view.get("volumeattachments.storage.k8s.io", asked.name) or {}
            at = (found.get("spec") or {}).get("nodeName")
            if at and (not node or at == node):
                return _YES
        return Decision(False, f"no relationship found between node '{node}' and this object")


_Rule = Callable[[NodeAuthorizer, str, Asked], Decision]
_OWN: dict[tuple[str, str], _Rule] = {
    ("", "secrets"): NodeAuthorizer.drawn_on,
    ("", "configmaps"): NodeAuthorizer.drawn_on,
    ("", "persistentvolumeclaims"): NodeAuthorizer.drawn_on,
    ("", "persistentvolumeclaims/status"): NodeAuthorizer.claim_status,
    ("", "persistentvolumes"): NodeAuthorizer.drawn_on,
    ("", "serviceaccounts"): NodeAuthorizer.drawn_on,
    ("", "serviceaccounts/token"): NodeAuthorizer.token,
    ("", "nodes"): NodeAuthorizer.own_node,
    ("", "nodes/status"): NodeAuthorizer.own_node,
    ("", "pods"): NodeAuthorizer.own_pods,
    ("", "pods/status"): NodeAuthorizer.own_pods_below,
    ("", "pods/eviction"): NodeAuthorizer.own_pods_below,
    ("coordination.k8s.io", "leases"): NodeAuthorizer.own_lease,
    ("storage.k8s.io", "csinodes"): NodeAuthorizer.own_csi_node,
    ("storage.k8s.io", "volumeattachments"): NodeAuthorizer.attachment,
}
