"""Sessions that users ask for through the API: exec, attach, connections to ports.

The agent is told of one in its exchange, connects to the API for it, says whether it can begin, and then serves it on
threads of its own until either side leaves.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import orjson

from app.base.errors import BeanpoleError
from app.base.frames import Part, encode
from app.objects.pods import is_terminal
from workers.agent.api import AgentApi
from workers.agent.jobs import Jobs
from workers.agent.pod import find, newest, ref
from workers.agent.record import Record
from workers.agent.sessions.interactions import talk
from workers.agent.sessions.line import HungUp, Line
from workers.agent.sessions.ports import forward
from workers.runtime.interactive import Interactive
from workers.runtime.protocol import ContainerError, ContainerState, Runtime, State

log = logging.getLogger("beanpole.agent")

# Sessions that one node serves at the same time; each costs two threads and, mostly, a process.
MOST = 200
# How long a port of a pod may take to answer. Seconds.
DIAL = 10.0


class Refused(BeanpoleError):
    """A session can't begin; the sentence is for the user."""


class Sessions:
    """Args: find: the record of the pod `(namespace, name)`, or None."""

    def __init__(
        self, api: AgentApi, runtime: Runtime, jobs: Jobs, find: Callable[[str, str], Record | None]
    ) -> None:
        self._api, self._runtime, self._jobs, self._find = api, runtime, jobs, find
        self._free = threading.BoundedSemaphore(MOST)

    def answer(self, request: dict[str, Any]) -> None:
        """Serve what is asked for, without holding up the caller."""
        self._jobs.beside(lambda: self._serve(request))

    def _serve(self, request: dict[str, Any]) -> None:
        try:
            line = Line(self._api.open_channel(request["id"]))
        except BeanpoleError as exc:
            log.warning("session %s: %s", request["id"], exc)
            return
        try:
            self._admit(line, request)
        except Refused as exc:
            # Who has left already need not hear it.
            with contextlib.suppress(HungUp):
                line.send(encode(Part.REFUSED, orjson.dumps({"message": str(exc)})))
                # What was said is lost if the connection is cut before it was read.
                for _ in line.frames(until=_SET, patience=5.0):
                    continue
        except HungUp as exc:
            log.debug("session %s ended: %s", request["id"], exc)
        finally:
            line.close()

    def _admit(self, line: Line, request: dict[str, Any]) -> None:
        if not self._free.acquire(blocking=False):
            raise Refused("the node serves too many sessions already")
        try:
            record = self._find(request["namespace"], request["name"])
            if record is None or record.known_as != request["uid"]:
                raise Refused(
                    f"pod {request['name']}_{request['namespace']}({request['uid']}) is not on this node"
                )
            if request["kind"] == "ports":
                self._ports(line, record)
            else:
                talk(line, self._begin(record, request))
        except ContainerError as exc:
            raise Refused(exc.message) from exc
        finally:
            self._free.release()

    def _ports(self, line: Line, record: Record) -> None:
        state = self._runtime.pod(record.uid)
        why = f"unable to forward port because pod {record.pod['metadata']['name']} is not running"
        if state is None or not state.ready or is_terminal(record.pod):
            raise Refused(why)

        def dial(port: int) -> socket.socket:
            # What has ended gave up its address, which may be another pod's by now.
            if is_terminal(record.pod):
                raise ContainerError("PortForwardError", why)
            return self._runtime.connect(ref(record.pod), port, DIAL)

        forward(line, dial)

    def _begin(self, record: Record, request: dict[str, Any]) -> Interactive:
        container = self._running(record, request["container"])
        stdin, tty = bool(request.get("stdin")), bool(request.get("tty"))
        if request["kind"] == "attach":
            spec = find(record.pod, request["container"]) or {}
            # There is an input and a terminal if the container was started with them.
            stdin, tty = stdin and bool(spec.get("stdin")), bool(spec.get("tty"))
            return self._runtime.attach(ref(record.pod), container.id, stdin=stdin, tty=tty)
        return self._runtime.command(ref(record.pod), container.id, request["command"], stdin=stdin, tty=tty)

    def _running(self, record: Record, name: str) -> ContainerState:
        found = newest(self._runtime.pod(record.uid), name)
        if found is None or found.state is not State.RUNNING:
            # kubelet's own words.
            raise Refused(f'unable to upgrade connection: container not found ("{name}")')
        return found


_SET = threading.Event()
_SET.set()
