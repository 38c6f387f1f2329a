"""Bounds of a real server: floods, slow senders, readers that don't read, requests that take too long."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.base.settings import PREFIX
from tests.api.test_serving import CONFIGS, Server

TOKENS = 'admin-token,admin,1,"system:masters"\njoe-token,joe,2,"devs"\n'
READER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "devs"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "devs"}],
}
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


@pytest.fixture
def server(tmp_path: Path, redis_url: str, cluster: str) -> Iterator[Server]:
    made = Server(tmp_path, redis_url, cluster)
    (tmp_path / "tokens.csv").write_text(TOKENS)
    made.environ |= {f"{PREFIX}USER_RATE": "1", f"{PREFIX}USER_BURST": "5", f"{PREFIX}USER_WATCHES": "2"}
    yield made
    made.stop()


def secured(server: Server) -> Any:
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    return server.tls.wrap_socket(plain, server_hostname="127.0.0.1")


def head(method: str, path: str, **more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Authorization: Bearer admin-token"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_flood_is_answered_with_429_and_when_to_come_again(server: Server) -> None:
    server.start()
    assert server.ask("POST", BINDINGS, READER)[0] == 201
    connection = server.connect()
    answers = []
    for _ in range(12):
        response = server.send(connection, "GET", CONFIGS, token="joe-token")
        answers.append((response.status, response.getheader("Retry-After"), json.loads(response.read())))
    refused = [answer for answer in answers if answer[0] == 429]
    assert [code for code, _, _ in answers[:5]] == [200] * 5
    assert refused
    _, again, status = refused[0]
    assert int(again) >= 1
    assert (status["kind"], status["reason"]) == ("Status", "TooManyRequests")
    assert status["message"] == "Too many requests, please try again later."
    for _ in range(12):
        assert server.send(connection, "GET", CONFIGS).read()
    assert server.ask("GET", CONFIGS)[0] == 200


def test_watches_are_counted_apart(server: Server) -> None:
    server.start()
    server.ask("POST", BINDINGS, READER)
    connections = [server.connect() for _ in range(3)]
    codes = [server.send(c, "GET", f"{CONFIGS}?watch=true", token="joe-token").status for c in connections]
    assert codes == [200, 200, 429]
    for connection in connections:
        connection.close()


def test_a_body_that_does_not_come_is_given_up_and_nobody_else_waits(server: Server) -> None:
    server.start()
    with secured(server) as slow:
        slow.sendall(
            head("POST", f"{CONFIGS}?timeout=1s", Content_Length="1000", Content_Type="application/json")
        )
        slow.sendall(b'{"metadata":')
        assert server.ask("GET", CONFIGS)[0] == 200
        answer = slow.recv(4096)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"unable to return a response in the time allotted" in answer


def test_a_request_that_waits_for_a_webhook_takes_no_longer_than_it_may(server: Server) -> None:
    server.start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
        hook = {
            "name": "slow.example.com", "clientConfig": {"url": url}, "rules": [rule], "sideEffects": "None",
            "admissionReviewVersions": ["v1"], "timeoutSeconds": 30,
        }  # fmt: skip
        path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
        assert server.ask("POST", path, {"metadata": {"name": "h"}, "webhooks": [hook]})[0] == 201
        code, status = server.ask("POST", f"{CONFIGS}?timeout=1s", {"metadata": {"name": "a"}})
    assert (code, status["reason"]) == (504, "Timeout")
    assert server.ask("GET", f"{CONFIGS}/a")[0] == 404


def test_a_time_that_is_none_is_a_bad_request(server: Server) -> None:
    server.start()
    code, status = server.ask("GET", f"{CONFIGS}?timeout=soon")
    assert code == 400
    assert status["message"] == (
        'invalid timeout specified in the request URL - time: invalid duration "soon"'
    )


def test_a_watcher_that_never_reads_is_cut_off_and_another_misses_nothing(server: Server) -> None:
    server.start()
    server.ask("POST", CONFIGS, {"metadata": {"name": "big"}})
    seen: list[str] = []

    def read() -> None:
        connection = server.connect()
        response = server.send(connection, "GET", f"{CONFIGS}?watch=true&fieldSelector=metadata.name=big")
        while seen[-1:] != ["last"]:
            line = response.readline()
            assert line
            seen.append(json.loads(line)["object"].get("data", {}).get("n", "first"))
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    with secured(server) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(head("GET", f"{CONFIGS}?watch=true"))
        while server.metric("apiserver_longrunning_requests") < 2:
            threading.Event().wait(0.05)
        connection = server.connect()
        written = 0
        while server.metric("apiserver_longrunning_requests") > 1:
            assert written < 200, "it was never cut off"
            body = {"metadata": {"name": "big"}, "data": {"n": str(written), "x": "x" * 900_000}}
            response = server.send(connection, "PUT", f"{CONFIGS}/big", body)
            assert response.status == 200, response.read()
            response.read()
            written += 1
        server.send(connection, "PUT", f"{CONFIGS}/big", {"metadata": {"name": "big"}, "data": {"n": "last"}})
        reader.join(30)
    assert not reader.is_alive()
    assert seen == ["first", *(str(n) for n in range(written)), "last"]
