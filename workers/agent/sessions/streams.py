"""Streams that users ask of an agent through the API: a container's log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from app.base.errors import BeanpoleError
from workers.agent.api import AgentApi
from workers.agent.jobs import Jobs
from workers.agent.pod import ref
from workers.agent.record import Record
from workers.runtime.protocol import ContainerError, LogOptions, PodState, Runtime

log = logging.getLogger("beanpole.agent")


class Streams:
    """Answers stream requests, each on a thread of its own: whoever follows a log may stay for days.

    Args:
        find: the record of the pod `(namespace, name)`, or None.
    """

    def __init__(
        self, api: AgentApi, runtime: Runtime, jobs: Jobs, find: Callable[[str, str], Record | None]
    ) -> None:
        self._api, self._runtime, self._jobs, self._find = api, runtime, jobs, find

    def answer(self, request: dict[str, Any]) -> None:
        """Deliver what is asked for. What can't be is said in the stream itself."""
        self._jobs.beside(lambda: self._deliver(request))

    def _deliver(self, request: dict[str, Any]) -> None:
        try:
            self._api.post_stream(request["id"], self._chunks(request))
        except BeanpoleError as exc:
            # The usual end of following a log: whoever read it has gone away.
            log.debug("stream %s ended: %s", request["id"], exc)

    def _chunks(self, request: dict[str, Any]) -> Iterator[bytes]:
        name = request.get("container") or ""
        try:
            record = self._find(request["namespace"], request["name"])
            if record is None:
                raise KeyError(request["name"])
            name = name or record.pod["spec"]["containers"][0]["name"]
            options = log_options(request.get("options") or {}, self._runtime.pod(record.uid), name)
            yield from self._runtime.logs(ref(record.pod), name, options)
        except KeyError:
            which = "previous terminated " if (request.get("options") or {}).get("previous") else ""
            yield f'{which}container "{name}" in pod "{request["name"]}" not found\n'.encode()
        except ContainerError as exc:
            yield f"unable to retrieve container logs: {exc.message}\n".encode()


def log_options(asked: dict[str, Any], state: PodState | None, container: str) -> LogOptions:
    """What a request's options mean for this container. Raises KeyError if `previous` is asked for and there is no
    previous attempt."""
    attempt = None
    if asked.get("previous"):
        attempts = sorted(c.attempt for c in (state.containers if state else ()) if c.name == container)
        if len(attempts) < 2:
            raise KeyError(container)
        attempt = attempts[-2]
    return LogOptions(
        attempt=attempt,
        follow=bool(asked.get("follow")),
        tail=asked.get("tail"),
        since=asked.get("since"),
        timestamps=bool(asked.get("timestamps")),
        limit_bytes=asked.get("limit_bytes"),
    )
