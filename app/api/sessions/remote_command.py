"""`pods/<name>/exec` and `pods/<name>/attach`: a command in a container, or its own process, and a terminal to it.

https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#-strong-operations-pod-v1-core-strong- and
k8s.io/kubelet/pkg/cri/streaming/remotecommand.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from app.api import pod_logs
from app.api.query import Query
from app.api.sessions import websocket
from app.api.sessions.channels import CLOSE, REMOTE_COMMAND, Protocol, Reader
from app.api.sessions.sessions import Session, Sessions
from app.api.sessions.upgrade import Upgrade, hang_up
from app.api.sessions.websocket import WebSocket
from app.api.sessions.wires import Cut
from app.base.errors import ApiError, BadRequest
from app.base.frames import Frame, Part
from app.objects.change import Object

# How long a client may take to leave once it was told how it ended. Seconds.
PARTING = 3.0
_OUTPUT = (Part.STDOUT, Part.STDERR)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants to be connected to."""

    container: str
    command: tuple[str, ...]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    def options(self, kind: str) -> Object:
        """As admission sees it: PodExecOptions or PodAttachOptions."""
        found: Object = {"apiVersion": "v1", "kind": kind, "metadata": {}, "container": self.container}
        if self.command:
            found["command"] = list(self.command)
        streams = {"stdin": self.stdin, "stdout": self.stdout, "stderr": self.stderr, "tty": self.tty}
        return found | {name: True for name, asked in streams.items() if asked}


def wanted_of(pod: Object, text: str, *, command: bool) -> Wanted:
    """What a query asks for.

    Raises:
        BadRequest: it makes no sense, or the pod has no such container, or is nowhere yet.
    """
    query = Query(text)
    container = pod_logs.container_of(pod, query.text("container"))
    if not (pod.get("spec") or {}).get("nodeName"):
        raise BadRequest(f"pod {pod['metadata']['name']} does not have a host assigned")
    _check_running(pod, container)
    words = tuple(value for name, value in parse_qsl(text, keep_blank_values=True) if name == "command")
    if command and not words:
        raise BadRequest("you must specify at least one command for the container")
    stdin, stdout, stderr, tty = (query.flag(name) for name in ("stdin", "stdout", "stderr", "tty"))
    if not (stdin or stdout or stderr):
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    # A terminal has one output.
    return Wanted(container, words if command else (), stdin, stdout, stderr and not tty, tty)


def _check_running(pod: Object, container: str) -> None:
    """Refuse, in kubelet's words, what the agent would refuse anyhow."""
    status = pod.get("status") or {}
    known = [
        each
        for section in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for each in status.get(section) or ()
        if each.get("name") == container
    ]
    ended = any("terminated" in (each.get("state") or {}) for each in known)
    if ended or status.get("phase") in ("Succeeded", "Failed"):
        raise ApiError(f'unable to upgrade connection: container not found ("{container}")')


def serve(sessions: Sessions, pod: Object, kind: str, asked: Wanted, environ: dict[str, Any]) -> Upgrade:
    """Connect the client to what it asks for; `kind` is exec or attach.

    Raises:
        BadRequest, Forbidden: the request is no handshake that is understood here. Others: see `Sessions.open`.
    """
    if not websocket.wanted(environ):
        if kind == "attach":
            # A kubectl that falls back to SPDY because it was refused is to hear why.
            sessions.close(sessions.open(kind, pod, container=asked.container))
        raise BadRequest("Upgrade request required: connect by WebSocket")
    line = WebSocket(environ, list(REMOTE_COMMAND))
    session = sessions.open(
        kind, pod, container=asked.container, command=list(asked.command), tty=asked.tty, stdin=asked.stdin
    )
    talk = _Talk(line, REMOTE_COMMAND[line.protocol], session, asked)
    return Upgrade(line.head, talk.run, lambda: sessions.close(session))


class _Talk:
    """One client's exec or attach."""

    def __init__(self, line: WebSocket, protocol: Protocol, session: Session, asked: Wanted) -> None:
        self._line, self._protocol, self._session, self._asked = line, protocol, session, asked

    def run(self, sock: socket.socket, begun: bytes) -> None:
        self._line.open(sock)
        reader = threading.Thread(target=self._inward, args=(begun,), name="session-input", daemon=True)
        reader.start()
        try:
            # An empty message tells a client that it is connected.
            self._say(
                Part.STDOUT if self._asked.stdout else Part.STDERR if self._asked.stderr else Part.STATUS, b""
            )
            ended = self._outward()
            self._session.close()
            self._line.close(websocket.NORMAL if ended else websocket.FAILED)
            reader.join(PARTING)
        except (OSError, Cut):
            pass
        finally:
            self._session.close()
            hang_up(sock)
            reader.join()

    def _outward(self) -> bool:
        """From the agent to the client; whether it came to a proper end."""
        for frame in self._session.frames():
            if frame.part == Part.STATUS:
                self._end(frame)
                return True
            if frame.part in _OUTPUT and frame.data:
                self._say(frame.part, frame.data)
        return False

    def _end(self, frame: Frame) -> None:
        status = status_of(orjson.loads(frame.data), self._asked.command)
        if self._protocol.status:
            self._say(Part.STATUS, orjson.dumps(status))
        elif status["status"] == "Failure":
            self._say(Part.STATUS, status["message"].encode())

    def _say(self, channel: int, data: bytes) -> None:
        self._line.send(self._protocol.encode(channel, data), text=self._protocol.text)

    def _inward(self, begun: bytes) -> None:
        """From the client to the agent."""
        reader = Reader(self._protocol)
        try:
            with contextlib.suppress(Cut, ValueError):
                for piece, first, last in self._line.messages(begun):
                    for channel, data in reader.feed(piece, first, last):
                        self._take(channel, data)
        finally:
            self._session.close()

    def _take(self, channel: int, data: bytes) -> None:
        if channel == Part.STDIN and self._asked.stdin:
            self._session.send(Part.STDIN, data)
        elif channel == Part.RESIZE and self._asked.tty:
            self._session.send(Part.RESIZE, data)
        elif channel == CLOSE and self._protocol.closes and data[:1] == bytes((Part.STDIN,)):
            self._session.send(Part.END)


def status_of(ended: dict[str, Any], command: tuple[str, ...] = ()) -> Object:
    """What an agent's last word is in Kubernetes's (`NonZeroExitCode` of remotecommand.go)."""
    if ended.get("error"):
        message = (
            f"error executing command in container: {ended['error']}" if command else str(ended["error"])
        )
        return {
            "metadata": {}, "status": "Failure", "message": f"Internal error occurred: {message}",
            "reason": "InternalError", "details": {"causes": [{"message": message}]}, "code": 500,
        }  # fmt: skip
    code = int(ended.get("exit") or 0)
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
