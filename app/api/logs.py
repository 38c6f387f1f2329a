"""`pods/<name>/log`: the log of a container, from the agent of the pod's node."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from app.api import pod_logs
from app.api.answers import Answer
from app.api.connection import Connection
from app.api.query import Query
from app.api.streams import Reader
from app.base.clock import Clock
from app.base.errors import ServiceUnavailable
from app.base.ids import Ids
from app.objects.change import Object
from app.store.agents import AgentState
from app.store.store import Store

# Tells a node's agent that something waits for it.
Nudge = Callable[[Object], None]


class Logs:
    """Asks agents for logs."""

    def __init__(self, store: Store, agents: AgentState, nudge: Nudge, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._agents = agents
        self._nudge = nudge
        self._clock = clock
        self._ids = ids

    def answer(self, pod: Object, query: Query, connection: Connection) -> Answer:
        """The log that the query asks for, as a stream.

        Raises:
            BadRequest, Invalid: there is no such log, see `pod_logs`.
            ServiceUnavailable, Timeout: the node's agent can't be reached.
        """
        options = pod_logs.options_of(query, self._clock.now())
        container = pod_logs.container_of(pod, query.text("container"))
        pod_logs.check_started(pod, container, options.previous)
        name = (pod.get("spec") or {}).get("nodeName") or ""
        node = self._store.get("nodes", name)
        if node is None:
            raise ServiceUnavailable(f"the node {name} of this pod is gone, and with it its log")
        stream = self._ids.trace()
        meta = pod["metadata"]
        asked = {
            "id": stream,
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "container": container,
            "options": options.for_agent(),
        }
        reader = Reader(self._agents, stream, options.limit_bytes, connection)
        try:
            self._agents.offer_stream(name, asked)
            self._nudge(orjson.loads(node.body))
            reader.begin(name, self._clock)
        except BaseException:
            reader.close()
            raise
        return Answer(200, reader, "text/plain")
