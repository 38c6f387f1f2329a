"""Requests for `proxy` of pods, services and nodes: whom they reach."""

from __future__ import annotations

from typing import Any

import orjson

from app.api import answers
from app.api.answers import Answer
from app.api.routing import Target
from app.api.sessions import backends, proxy
from app.api.sessions.backends import Backend, Named
from app.api.sessions.dialed import Dialed, Secured, Stream
from app.api.sessions.sessions import Sessions
from app.base.errors import NotFound, NotImplementedHere, ServiceUnavailable
from app.base.ids import Ids
from app.objects import conditions
from app.objects.change import Object
from app.registry.registry import Registry
from app.registry.request import Request
from app.schemas import kinds

_SERVICE = "kubernetes.io/service-name"
_OPTIONS = {"pods": "PodProxyOptions", "services": "ServiceProxyOptions", "nodes": "NodeProxyOptions"}


class Proxying:
    """Passes requests on."""

    def __init__(self, registry: Registry, sessions: Sessions, ids: Ids) -> None:
        self._registry, self._sessions, self._ids = registry, sessions, ids

    def options(self, target: Target, environ: dict[str, Any]) -> Object:
        """As admission sees it."""
        path = proxy.rest_of(environ, _segments(target))
        return {"apiVersion": "v1", "kind": _OPTIONS[target.kind.plural], "metadata": {}, "path": path}

    def answer(self, target: Target, environ: dict[str, Any], request: Request) -> Answer:
        """What answers there. Raises ApiError: nothing does, and why."""
        path = proxy.rest_of(environ, _segments(target))
        if target.kind.plural == "nodes":
            return self._node(target, request, path)
        named = backends.split(target.kind.singular, target.name)
        data = self._registry.get(request, target.kind, target.namespace, named.name)
        pod, backend = self._backend(target, request, orjson.loads(data), named)
        if not path and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return proxy.to_directory(environ)
        stream: Stream = Dialed(self._sessions, pod, backend.port)
        try:
            if named.scheme == "https":
                stream = Secured(stream, backend.address)
        except BaseException:
            stream.close()
            raise
        base = "/" + "/".join(environ["PATH_INFO"].strip("/").split("/")[: _segments(target)])
        host = f"{backend.address}:{backend.port}"
        return proxy.Exchange(stream, host, base).answer(environ, path)

    def _backend(
        self, target: Target, request: Request, found: Object, named: Named
    ) -> tuple[Object, Backend]:
        if target.kind.plural == "pods":
            return found, backends.of_pod(found, named)
        view = self._registry.view
        view.catch_up()
        with view.lock:
            slices = [
                each
                for each in view.list("endpointslices.discovery.k8s.io", target.namespace)
                if (each["metadata"].get("labels") or {}).get(_SERVICE) == named.name
            ]
        able = backends.of_service(found, slices, named)
        chosen = able[int(self._ids.fraction() * len(able))]
        try:
            pod = self._registry.get(request, kinds.by_resource("pods"), chosen.namespace, chosen.pod)
        except NotFound as exc:
            raise ServiceUnavailable(f'no endpoints available for service "{named.name}"') from exc
        return orjson.loads(pod), chosen

    def _node(self, target: Target, request: Request, path: str) -> Answer:
        """Of what a kubelet serves: whether it is well. An agent has no port to ask."""
        node = orjson.loads(self._registry.get(request, target.kind, "", target.name))
        if path.strip("/") != "healthz":
            raise NotImplementedHere(
                f"nodes have no port to pass requests on to; of node {target.name} there is proxy/healthz only"
            )
        ready = conditions.get(node, "Ready") or {}
        if ready.get("status") == "True":
            return answers.text("ok")
        return answers.text(f"{ready.get('reason') or 'NotReady'}: {ready.get('message') or ''}\n", 500)


def _segments(target: Target) -> int:
    """How many parts of the path come before what is proxied."""
    return 7 if target.namespace else 5
