"""The client against a real HTTP server on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.base.errors import BadRequest, Conflict, Expired, Invalid, NotFound
from app.client.channel import Broken
from app.client.http import ApiClient, Unreachable

MAPS = "/api/v1/namespaces/default/configmaps"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.clients: set[tuple[str, int]] = set()
        self.drop_next = 0
        self.objects = {f"m{i}": {"metadata": {"name": f"m{i}"}} for i in range(5)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, code: int, obj: object) -> None:
        data = json.dumps(obj).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _any(self) -> None:
        body = self._body()
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        self.server.clients.add(self.client_address)
        if self.server.drop_next:
            self.server.drop_next -= 1
            self.close_connection = True
            self.connection.close()
            return
        if "watch=true" in self.path:
            self._watch()
        elif self.path.startswith("/page"):
            self._answer(502, "bad gateway")
        elif self.command == "GET" and self.path.split("?")[0] == MAPS:
            start = int(self.path.partition("continue=")[2] or 0)
            limit = 2 if "limit=2" in self.path else 100
            names = sorted(self.server.objects)[start : start + limit]
            after = str(start + limit) if start + limit < len(self.server.objects) else ""
            self._answer(
                200, {"items": [self.server.objects[n] for n in names], "metadata": {"continue": after}}
            )
        elif self.command == "GET":
            name = self.path.rsplit("/", 1)[-1]
            if name in self.server.objects:
                self._answer(200, self.server.objects[name])
            else:
                self._status(
                    404, "NotFound", f'configmaps "{name}" not found', {"name": name, "kind": "configmaps"}
                )
        elif self.command == "PATCH":
            self._status(409, "Conflict", "the object has been modified", {})
        elif self.command == "PUT":
            cause = {"field": "metadata.name", "reason": "FieldValueInvalid", "message": "no"}
            self._status(422, "Invalid", "invalid", {"causes": [cause]})
        else:
            self._answer(201, json.loads(body) if body.startswith(b"{") else {"got": len(body)})

    def _status(self, code: int, reason: str, message: str, details: object) -> None:
        self._answer(
            code, {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
        )

    def _watch(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        gone = {
            "type": "ERROR",
            "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"},
        }
        events = [{"type": "ADDED", "object": {"n": 1}}, {"type": "DELETED", "object": {"n": "ü" * 9000}}]
        text = "".join(
            json.dumps(e) + "\n" for e in ([gone] if "resourceVersion=1" in self.path else events)
        ).encode()
        for at in range(0, len(text), 1000):
            piece = text[at : at + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any


@pytest.fixture
def server() -> Iterator[_Server]:
    running = _Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def client(server: _Server) -> Iterator[ApiClient]:
    made = ApiClient(f"http://127.0.0.1:{server.server_address[1]}", token="s3cret", timeout=5.0)
    yield made
    made.close()


def test_every_request_shows_the_token_and_reuses_one_connection(server: _Server, client: ApiClient) -> None:
    for _ in range(3):
        assert client.get(MAPS + "/m1") == {"metadata": {"name": "m1"}}
    assert [headers["Authorization"] for _, _, headers, _ in server.seen] == ["Bearer s3cret"] * 3
    assert len(server.clients) == 1


def test_a_list_in_pages_holds_all_items(client: ApiClient) -> None:
    assert [o["metadata"]["name"] for o in client.list(MAPS, page=2)["items"]] == [
        "m0",
        "m1",
        "m2",
        "m3",
        "m4",
    ]


def test_a_status_becomes_the_error_it_stands_for(client: ApiClient) -> None:
    with pytest.raises(NotFound) as missing:
        client.get(MAPS + "/nothing")
    assert (missing.value.name, missing.value.resource) == ("nothing", "configmaps")
    with pytest.raises(Conflict):
        client.patch(MAPS + "/m1", {"data": {}})
    with pytest.raises(Invalid) as invalid:
        client.replace(MAPS + "/m1", {})
    assert invalid.value.causes[0].field == "metadata.name"


def test_an_answer_that_is_no_status_still_is_an_error_of_its_code(client: ApiClient) -> None:
    with pytest.raises(Exception) as caught:
        client.get("/page")
    assert getattr(caught.value, "code", None) == 502
    assert "bad gateway" in str(caught.value)


def test_a_get_survives_a_connection_that_breaks(server: _Server, client: ApiClient) -> None:
    server.drop_next = 1
    assert client.get(MAPS + "/m2") == {"metadata": {"name": "m2"}}
    assert len(server.seen) == 2


def test_a_create_is_not_sent_twice_when_the_connection_breaks(server: _Server, client: ApiClient) -> None:
    server.drop_next = 1
    with pytest.raises(Unreachable):
        client.create(MAPS, {"metadata": {"name": "new"}})
    assert len(server.seen) == 1


def test_an_exchange_is_sent_again_when_its_connection_had_been_closed(
    server: _Server, client: ApiClient
) -> None:
    server.drop_next = 1
    assert client.exchange({"nodes": {"n1": {}}}) == {"nodes": {"n1": {}}}
    assert [path for _, path, _, _ in server.seen] == ["/apis/agent.beanpole.dev/v1/exchange"] * 2


def test_a_watch_yields_changes_however_they_are_cut_and_raises_when_expired(client: ApiClient) -> None:
    assert list(client.watch(MAPS)) == [("ADDED", {"n": 1}), ("DELETED", {"n": "ü" * 9000})]
    with pytest.raises(Expired):
        list(client.watch(MAPS, resourceVersion="1"))


def test_a_stream_is_posted_in_chunks(server: _Server, client: ApiClient) -> None:
    client.post_stream("n1", "abc", (b"line %d\n" % i for i in range(3)))
    method, path, headers, body = server.seen[0]
    assert (method, path, body) == (
        "POST",
        "/apis/agent.beanpole.dev/v1/nodes/n1/streams/abc",
        b"line 0\nline 1\nline 2\n",
    )
    assert headers["Transfer-Encoding"] == "chunked"


def test_nobody_listening_is_unreachable_and_says_where(client: ApiClient) -> None:
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = silent.server_address[1]
    silent.server_close()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
        ApiClient(f"http://127.0.0.1:{port}", timeout=1.0).get("/healthz")


def test_an_unknown_reason_falls_back_to_the_code() -> None:
    from app.client.statuses import error_of

    assert isinstance(error_of(400, b'{"kind":"Status","reason":"Odd","message":"m"}'), BadRequest)


def test_a_stream_ends_when_nobody_wants_more_though_there_is_nothing_to_say() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    heard = threading.Event()

    def hear_and_hang_up() -> None:
        with listener, listener.accept()[0] as sock:
            while b"first" not in sock.recv(65536):
                continue
            heard.set()

    thread = threading.Thread(target=hear_and_hang_up, daemon=True)
    thread.start()

    def silent() -> Iterator[bytes]:
        yield b"first"
        assert heard.wait(10)
        while True:
            yield b""

    with pytest.raises(Broken, match="nobody wants to hear more"):
        ApiClient(f"http://127.0.0.1:{listener.getsockname()[1]}").post_stream("n1", "abc", silent())
    thread.join(10)
