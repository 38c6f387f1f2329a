"""httpGet probes against real servers on loopback, by the rules of kubelet's prober."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.agent.probing.conftest import Server, Trial
from workers.agent.probing import request
from workers.agent.probing.http import request_of
from workers.agent.probing.response import Head, read_head

AWAITING = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


def get(server: Server, path: str = "/", **more: Any) -> dict[str, Any]:
    return {"httpGet": {"port": server.port, "path": path, **more}}


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (299, True), (400, False), (404, False), (503, False)]
)
def test_a_status_from_200_to_399_is_well(trial: Trial, server: Server, status: int, ok: bool) -> None:
    outcome = trial(get(server, f"/status/{status}"))
    assert (outcome.ok, outcome.warning, outcome.unknown) == (ok, False, False)
    assert outcome.message == ("" if ok else f"HTTP probe failed with statuscode: {status}")


def test_what_a_failing_endpoint_said_is_for_nobody_s_eyes(trial: Trial, server: Server) -> None:
    assert "fine" not in trial(get(server, "/status/500")).message


def test_a_named_port_is_the_container_s(trial: Trial, server: Server) -> None:
    container = {"name": "web", "ports": [{"name": "http", "containerPort": server.port}]}
    assert trial({"httpGet": {"port": "http"}}, container=container).ok
    outcome = trial({"httpGet": {"port": "nothing"}}, container=container)
    assert outcome.unknown
    assert outcome.message == "the container has no port named 'nothing'"


def test_a_request_looks_like_kubelets(trial: Trial, server: Server) -> None:
    trial(get(server, "echo?a=b c"))
    path, headers = server.heard[0]
    assert path == "/echo?a=b%20c"
    assert dict(headers) == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "kube-probe/1.36",
        "Accept": "*/*",
        "Connection": "close",
    }


def test_headers_of_the_manifest_replace_the_usual_ones(trial: Trial, server: Server) -> None:
    given = [("host", "shop.example"), ("accept", ""), ("User-Agent", "me"), ("X-A", "1"), ("X-A", "2")]
    trial(get(server, httpHeaders=[{"name": name, "value": value} for name, value in given]))
    headers = server.heard[0][1]
    assert [value for name, value in headers if name == "X-A"] == ["1", "2"]
    assert {name.lower(): value for name, value in headers if name != "X-A"} == {
        "host": "shop.example",
        "user-agent": "me",
        "connection": "close",
    }


def test_a_redirection_on_the_same_host_is_followed(trial: Trial, server: Server) -> None:
    assert trial(get(server, "/to?/status/200")).ok
    failing = trial(get(server, f"/to?http://127.0.0.1:{server.port}/status/503"))
    assert failing.message == "HTTP probe failed with statuscode: 503"
    assert [path for path, _ in server.heard] == [
        "/to?/status/200",
        "/status/200",
        f"/to?http://127.0.0.1:{server.port}/status/503",
        "/status/503",
    ]


def test_a_redirection_to_another_host_is_well_and_told(trial: Trial, server: Server) -> None:
    outcome = trial(get(server, "/to?http://elsewhere.example/"))
    assert (outcome.ok, outcome.warning) == (True, True)
    assert outcome.message == "Probe terminated redirects, Response body: go away"
    assert (
        trial(get(server, "/chunked")).message == "Probe terminated redirects, Response body: one two three"
    )


def test_redirections_end(trial: Trial, server: Server) -> None:
    outcome = trial(get(server, "/round"))
    assert not outcome.ok
    assert outcome.message.endswith("stopped after 10 redirects")


def test_who_does_not_answer_in_time_has_failed(trial: Trial, server: Server) -> None:
    outcome = trial(get(server, "/slow"), timeout=0.1)
    assert outcome.message == f'Get "http://127.0.0.1:{server.port}/slow": {AWAITING}'
    assert not outcome.unknown


def test_a_body_that_does_not_end_tells_nothing(trial: Trial, server: Server) -> None:
    outcome = trial(get(server, "/slow-body"), timeout=0.1)
    assert outcome.unknown
    assert "while reading body" in outcome.message


def test_tls_is_spoken_with_whatever_certificate(trial: Trial, tls_server: Server, server: Server) -> None:
    assert trial(get(tls_server, scheme="HTTPS")).ok
    plain = trial(get(server, scheme="HTTPS"))
    assert plain.message == (
        f'Get "https://127.0.0.1:{server.port}/": http: server gave HTTP response to HTTPS client'
    )


def test_a_port_where_nobody_listens_is_refused(trial: Trial) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    refused = f"dial tcp 127.0.0.1:{free}: connect: connection refused"
    assert trial({"httpGet": {"port": free}}).message == f'Get "http://127.0.0.1:{free}/": {refused}'
    assert trial({"tcpSocket": {"port": free}}).message == refused


def test_a_host_by_name_is_looked_up(trial: Trial, server: Server) -> None:
    assert trial(get(server, host="localhost")).ok
    assert trial({"tcpSocket": {"port": server.port, "host": "localhost"}}).ok
    outcome = trial({"tcpSocket": {"port": 80, "host": "nowhere.invalid"}})
    assert outcome.message.startswith("dial tcp: lookup nowhere.invalid: ")


def one_answer(say: bytes) -> tuple[int, Callable[[], None]]:
    """A server that says this to its first client, whatever it asks."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as sock:
            sock.recv(4096)
            sock.sendall(say)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread.join


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"", "EOF"),
        (b"HTTP/1.1 200 OK\r\nContent-", "unexpected EOF"),
        (b"220 mail.example\r\n", 'malformed HTTP response "220 mail.example"'),
        (b"HTTP/1.1 abc\r\n\r\n", 'malformed HTTP status code "abc"'),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\n\r\n", "HTTP probe failed with statuscode: 404"),
        (b"HTTP/1.0 200\nX: y\n\n", ""),
    ],
)
def test_servers_that_answer_oddly_are_understood_or_named(trial: Trial, said: bytes, message: str) -> None:
    port, join = one_answer(said)
    outcome = trial({"httpGet": {"port": port}})
    join()
    assert outcome.ok is (message == "")
    assert outcome.message.endswith(message)


def test_hooks_send_the_same_requests(server: Server) -> None:
    container = {"name": "web", "ports": [{"name": "http", "containerPort": server.port}]}
    assert request("127.0.0.1", container, {"port": "http", "path": "/status/201"}, 2.0)[0] == 201
    assert dict(server.heard[0][1])["User-Agent"] == "kube-lifecycle/1.36"
    with pytest.raises(TimeoutError):
        request("127.0.0.1", container, {"port": "http", "path": "/slow"}, 0.1)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/"),
        ("healthz", "/healthz"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/x?y=1&z=/", "/x?y=1&z=/"),
        ("http://other/x", "/x"),
        ("/ü", "/%C3%BC"),
    ],
)
def test_a_path_becomes_a_target(path: str, target: str) -> None:
    assert request_of({"port": 80, "path": path}, {}, "10.0.0.1").target == target


@pytest.mark.parametrize("lines", [b"\r\n", b"\n"])
def test_a_head_ends_where_it_ends_however_its_pieces_are_cut(lines: bytes) -> None:
    said = lines.join([b"HTTP/1.1 100 Continue", b"", b"HTTP/1.1 204 No Content", b"A: b", b"", b"rest"])
    for cut in range(1, len(said) - 4):
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            talk = read_head(near)
            next(talk)
            far.sendall(said[:cut])
            next(talk)
            far.sendall(said[cut:])
            with pytest.raises(StopIteration) as end:
                next(talk)
        assert end.value.value == Head(204, {"a": "b"}, b"rest")
