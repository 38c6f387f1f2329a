"""The API on a port of its own, whose connections may be taken over; a pod; and an agent to answer for it."""

from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import websocket

from app.api.sessions.upgrade import Upgrade
from app.base.frames import Decoder, Frame, encode
from app.client import channel
from app.client.paths import stream_path
from tests.api.conftest import Api

PODS = "/api/v1/namespaces/default/pods"


class Served:
    """The application, served one thread to a connection, one request to each."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                piece = sock.recv(1)
                if not piece:
                    return
                head += piece
            environ = _environ(head.decode("latin-1"))
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = b""
            while len(body) < length:
                body += sock.recv(length - len(body))
            environ["wsgi.input"] = io.BytesIO(body)
            begun: list[tuple[str, list[tuple[str, str]]]] = []
            pieces = self.api.app.wsgi_app(environ, lambda status, headers: begun.append((status, headers)))
            if isinstance(pieces, Upgrade):
                pieces.take_over(sock)
                return
            data = b"".join(pieces)
            getattr(pieces, "close", lambda: None)()
            status, headers = begun[0]
            kept = [f"{k}: {v}\r\n" for k, v in headers if k.lower() != "content-length"]
            answer = f"HTTP/1.1 {status}\r\n{''.join(kept)}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            sock.sendall(answer.encode("latin-1") + data)

    def connect(self, path: str, protocols: list[str] | None = None, token: str = "admin-token") -> Any:
        """A WebSocket."""
        return websocket.create_connection(
            f"ws://127.0.0.1:{self.port}{path}",
            subprotocols=protocols,
            header=[f"Authorization: Bearer {token}"],
            timeout=10,
        )

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {"Authorization": "Bearer admin-token", **headers})
        return connection.getresponse()


class Line:
    """The agent's end of a session."""

    def __init__(self, asked: dict[str, Any], made: channel.Channel) -> None:
        self.asked, self.channel = asked, made
        self._decoder = Decoder()
        self._waiting: list[Frame] = []

    def say(self, part: int, data: bytes = b"", connection: int = 0) -> None:
        self.channel.send(encode(part, data, connection))

    def hear(self) -> Frame | None:
        """The next frame; None once the API has hung up."""
        while not self._waiting:
            data = self.channel.receive(10.0)
            assert data != b"", "nothing came"
            if data is None:
                return None
            self._waiting = list(self._decoder.feed(data))
        return self._waiting.pop(0)


@pytest.fixture
def served(api: Api) -> Iterator[Served]:
    made = Served(api)
    yield made
    made.listener.close()


@pytest.fixture
def pod(api: Api) -> Any:
    """A running pod `p` with the containers `a` and `b` on node `n1`; `b` has ended."""
    api.create("/api/v1/nodes", {"metadata": {"name": "n1"}})
    containers: list[Any] = [{"name": name, "image": "x"} for name in ("a", "b")]
    containers[0]["ports"] = [{"containerPort": 8080, "name": "web"}]
    api.create(PODS, {"metadata": {"name": "p"}, "spec": {"containers": containers}})
    bound = api.ask(
        "POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    )
    assert bound.status_code == 201, bound.text
    common = {"image": "x", "imageID": "", "ready": True, "restartCount": 0}
    states = {"a": {"running": {}}, "b": {"terminated": {"exitCode": 0}}}
    statuses = [{"name": name, **common, "state": state} for name, state in states.items()]
    status = {"phase": "Running", "podIP": "10.1.2.3", "containerStatuses": statuses}
    patched = api.ask(
        "PATCH", f"{PODS}/p/status", {"status": status}, Content_Type="application/merge-patch+json"
    )
    assert patched.status_code == 200, patched.text
    return patched.json


@pytest.fixture
def agent(served: Served, in_background: Any) -> Callable[[Callable[[Line], None]], None]:
    """Answer the next session asked of node `n1` with this."""

    def answer(work: Callable[[Line], None]) -> None:
        def run() -> None:
            for _ in range(1000):
                asked = served.api.agents.arrive({"n1": 0})[1].get("n1")
                if asked:
                    made = channel.connect(
                        f"http://127.0.0.1:{served.port}", stream_path("n1", asked[0]["id"]), None,
                        {"Authorization": "Bearer n1-token"}, 5.0,
                    )  # fmt: skip
                    work(Line(asked[0], made))
                    made.close()
                    return
                threading.Event().wait(0.01)
            raise AssertionError("no session was asked for")

        in_background(run)

    return answer


def _environ(head: str) -> dict[str, Any]:
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query, "RAW_URI": target,
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "192.0.2.1",
    }  # fmt: skip
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        prefix = "" if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_"
        environ[prefix + key] = value.strip()
    return environ
