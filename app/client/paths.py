"""Where an object lives in the API.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from __future__ import annotations

from urllib.parse import quote


def path_of(
    api_version: str, plural: str, *, namespace: str = "", name: str = "", subresource: str = ""
) -> str:
    """`/api/v1/namespaces/default/pods/web-1/log`, `/apis/apps/v1/deployments`, ..."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    parts = [root]
    if namespace:
        parts += ["namespaces", quote(namespace, safe="")]
    parts.append(plural)
    if name:
        parts.append(quote(name, safe=""))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


# Where agents exchange heartbeats and statuses for their nodes.
EXCHANGE_PATH = "/apis/agent.beanpole.dev/v1/exchange"


def stream_path(node: str, stream: str) -> str:
    """Where an agent delivers a stream that was asked of it, such as a container's log."""
    return f"/apis/agent.beanpole.dev/v1/nodes/{quote(node, safe='')}/streams/{quote(stream, safe='')}"
