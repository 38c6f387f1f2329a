"""The API, as an agent needs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from app.base.errors import NotFound
from app.client.http import ApiClient
from app.client.paths import pods_path, token_path
from app.objects.change import Object
from workers.agent.sessions.line import Channel


class AgentApi(Protocol):
    """See the module. Raises whatever keeps the API from answering."""

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]: ...

    def request_token(self, namespace: str, account: str, request: Object) -> Object:
        """A TokenRequest, answered."""
        ...

    def create_pod(self, pod: Object) -> Object:
        """Make a mirror pod."""
        ...

    def delete_pod(self, pod: Object) -> None:
        """Delete a mirror pod at once. Not there is no error."""
        ...

    def post_stream(self, stream: str, chunks: Iterable[bytes]) -> None: ...

    def open_channel(self, stream: str) -> Channel:
        """Connect for a session that was asked for."""
        ...


class NodeApi:
    """The API as one node's agent sees it. Every failure to answer is an error of Beanpole's."""

    def __init__(self, client: ApiClient, node: str) -> None:
        self._client, self._node = client, node

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._client.exchange(request)

    def request_token(self, namespace: str, account: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._client.create(token_path(namespace, account), request)

    def create_pod(self, pod: dict[str, Any]) -> dict[str, Any]:
        return self._client.create(pods_path(pod["metadata"]["namespace"]), pod)

    def delete_pod(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
        try:
            self._client.delete(pods_path(meta["namespace"], meta["name"]), options)
        except NotFound:
            return

    def post_stream(self, stream: str, chunks: Iterable[bytes]) -> None:
        self._client.post_stream(self._node, stream, chunks)

    def open_channel(self, stream: str) -> Channel:
        return self._client.open_channel(self._node, stream)
