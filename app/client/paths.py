"""Where agents speak to the API: mostly beside the paths of Kubernetes, in a group of their own."""

from __future__ import annotations

from urllib.parse import quote

# Where agents connect, and nobody else.
AGENT_PREFIX = "/apis/agent.beanpole.dev/v1/"
# Where agents exchange heartbeats and statuses for their nodes.
EXCHANGE_PATH = "/apis/agent.beanpole.dev/v1/exchange"


def pods_path(namespace: str, name: str = "") -> str:
    """Where the pods of a namespace are, or the one of that name."""
    where = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
    return f"{where}/{quote(name, safe='')}" if name else where


def stream_path(node: str, stream: str) -> str:
    """Where an agent delivers a stream that was asked of it, such as a container's log."""
    return f"/apis/agent.beanpole.dev/v1/nodes/{quote(node, safe='')}/streams/{quote(stream, safe='')}"


def token_path(namespace: str, account: str) -> str:
    """Where a token of a ServiceAccount is asked for."""
    where = f"/api/v1/namespaces/{quote(namespace, safe='')}/serviceaccounts"
    return f"{where}/{quote(account, safe='')}/token"
