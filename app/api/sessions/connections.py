"""Requests that connect a user to a pod: which pod, may it be, and what serves it."""

from __future__ import annotations

from typing import Any

import orjson

from app.api.answers import Answer
from app.api.routing import Target
from app.api.sessions import forward, remote_command
from app.api.sessions.proxying import Proxying
from app.api.sessions.sessions import Sessions
from app.base.ids import Ids
from app.objects.change import Object
from app.registry.admission import of_connect
from app.registry.registry import Registry
from app.registry.request import Request


class Connections:
    """exec, attach, port-forward and proxy."""

    def __init__(self, registry: Registry, sessions: Sessions, ids: Ids) -> None:
        self._registry, self._sessions = registry, sessions
        self._proxying = Proxying(registry, sessions, ids)

    def answer(self, target: Target, environ: dict[str, Any], request: Request) -> Answer:
        """Connect. Raises ApiError: it can't be done, and why."""
        if target.subresource == "proxy":
            self._admit(request, target, self._proxying.options(target, environ))
            return self._proxying.answer(target, environ, request)
        query = environ.get("QUERY_STRING", "")
        pod: Object = orjson.loads(self._registry.get(request, target.kind, target.namespace, target.name))
        kind = target.subresource
        if kind == "portforward":
            ports = forward.ports_of(query)
            options = {"apiVersion": "v1", "kind": "PodPortForwardOptions", "metadata": {}, "ports": ports}
            self._admit(request, target, options)
            return Answer(101, forward.serve(self._sessions, pod, environ))
        asked = remote_command.wanted_of(pod, query, command=kind == "exec")
        self._admit(
            request, target, asked.options("PodExecOptions" if kind == "exec" else "PodAttachOptions")
        )
        return Answer(101, remote_command.serve(self._sessions, pod, kind, asked, environ))

    def _admit(self, request: Request, target: Target, options: Object) -> None:
        of_connect(
            self._registry, request, target.kind, target.namespace, target.name, target.subresource, options
        )
