"""The real thing: gunicorn with TLS in a process of its own, and real clients."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.api.connection import closing
from app.base.settings import Settings, as_environ
from app.store.agents import AgentState
from app.trust import authority as pki

CONFIGS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
KUBECTLS = [
    str(path)
    for path in (Path(sys.executable).with_name("kubectl"), Path("/usr/bin/kubectl"))
    if path.exists()
]
TOKENS = 'admin-token,admin,1,"system:masters"\nagent-token,system:node-agent,3,"system:nodes"\n'
WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
    },
}


class Server:
    """The API server as a process; `environ` is its settings."""

    def __init__(self, folder: Path, redis_url: str, cluster: str) -> None:
        now = time.time()
        authority = pki.make_authority("test", now)
        pki.save_authority(authority, folder / "ca.pem", folder / "ca.key")
        certificate, key = pki.make_server_pair(authority, ["127.0.0.1"], now)
        (folder / "server.pem").write_bytes(certificate)
        (folder / "server.key").write_bytes(key)
        (folder / "tokens.csv").write_text(TOKENS)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self.environ = {
            **os.environ,
            **as_environ(
                Settings(
                    redis_url=redis_url, cluster=cluster, server=f"https://127.0.0.1:{self.port}",
                    cert_file=str(folder / "server.pem"), key_file=str(folder / "server.key"),
                    token_file=str(folder / "tokens.csv"),
                )
            ),
        }  # fmt: skip
        self.log = folder / "api.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.api.serve"], env=self.environ, stderr=log
            )
        end = time.monotonic() + 30
        while True:
            try:
                status, _ = self.ask("GET", "/readyz")
                assert status == 200
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < end, self.log.read_text()
                threading.Event().wait(0.05)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=20)

    def send(self, connection, method, path, body=None, token="admin-token", headers=None):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        given = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, data, given)
        return connection.getresponse()

    def ask(self, method, path, body=None, **options):
        connection = self.connect()
        try:
            response = self.send(connection, method, path, body, **options)
            data = response.read()
            return response.status, json.loads(data) if data[:1] == b"{" else data
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        _, page = self.ask("GET", "/metrics")
        return next(
            float(line.split()[1]) for line in page.decode().splitlines() if line.startswith(f"{name} ")
        )

    def kubeconfig(self) -> str:
        path = self.folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1", "kind": "Config", "current-context": "t",
                    "clusters": [{"name": "t", "cluster": {"server": f"https://127.0.0.1:{self.port}",
                                                           "certificate-authority": str(self.folder / "ca.pem")}}],
                    "users": [{"name": "t", "user": {"token": "admin-token"}}],
                    "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}],
                }
            )
        )  # fmt: skip
        return str(path)


@pytest.fixture
def server(tmp_path, redis_url, cluster):
    made = Server(tmp_path, redis_url, cluster)
    made.start()
    assert made.ask("GET", "/api/v1/namespaces/default")[0] == 200
    yield made
    made.stop()


def until(true, seconds=15.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true"
        threading.Event().wait(0.02)


def test_a_connection_serves_many_requests(server):
    connection = server.connect()
    for number in range(3):
        made = server.send(connection, "POST", CONFIGS, {"metadata": {"name": f"a{number}"}})
        assert (made.status, json.loads(made.read())["metadata"]["name"]) == (201, f"a{number}")
        refused = server.send(connection, "POST", CONFIGS, b"{")
        assert (refused.status, json.loads(refused.read())["code"]) == (400, 400)
        head = server.send(connection, "HEAD", CONFIGS)
        assert (head.status, head.read()) == (200, b"")
    large = server.send(connection, "POST", CONFIGS, b"x" * (4 * 1024 * 1024))
    assert (large.status, json.loads(large.read())["reason"]) == (413, "RequestEntityTooLarge")
    assert server.send(connection, "GET", f"{CONFIGS}/a1").status == 200


def test_a_body_may_come_in_chunks(server):
    connection = server.connect()
    chunks = iter([b'{"metadata":', b'{"name":"a"}}'])
    connection.request("POST", CONFIGS, chunks, {"Authorization": "Bearer admin-token"}, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["metadata"]["name"]) == (201, "a")


def test_a_body_that_is_cut_off_or_malformed_is_refused(server):
    def answered(*lines):
        plain = socket.create_connection(("127.0.0.1", server.port))
        with server.tls.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.sendall(
                "\r\n".join(
                    [f"POST {CONFIGS} HTTP/1.1", "Authorization: Bearer admin-token", *lines]
                ).encode()
            )
            return tls.recv(100)

    assert answered("Transfer-Encoding: chunked", "", "zz", "", "").startswith(b"HTTP/1.1 400")
    assert server.ask("GET", CONFIGS)[1]["items"] == []


def test_what_is_not_http_harms_nobody(server):
    for raw in (
        b"\x16\x03\x01 nonsense",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /api HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /api HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as bare:
            bare.sendall(raw)
        plain = socket.create_connection(("127.0.0.1", server.port))
        with server.tls.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.sendall(raw or b"GET")
    assert server.ask("GET", "/readyz")[0] == 200


def test_a_watch_sends_events_as_they_happen_and_is_freed_when_its_client_leaves(server):
    connection = server.connect()
    response = server.send(connection, "GET", f"{CONFIGS}?watch=true")
    assert response.status == 200  # the headers are there before any event
    server.ask("POST", CONFIGS, {"metadata": {"name": "a"}})
    event = json.loads(response.readline())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")
    assert server.metric("apiserver_longrunning_requests") == 1
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    until(lambda: server.metric("apiserver_longrunning_requests") == 0)


def test_a_log_is_followed_line_by_line_until_the_reader_leaves(server, store):
    server.ask("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    server.ask(
        "POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    )
    server.ask(
        "POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    )
    container = {"name": "c", "image": "x", "imageID": "", "ready": True, "restartCount": 0,
                 "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}  # fmt: skip
    patch = {"status": {"phase": "Running", "containerStatuses": [container]}}
    merge = {"Content-Type": "application/merge-patch+json"}
    assert server.ask("PATCH", f"{PODS}/p/status", patch, headers=merge)[0] == 200
    agents = AgentState(store)
    more, broken = threading.Event(), threading.Event()

    def agent():
        asked = []
        until(lambda: asked.extend(agents.arrive({"n1": 0})[1].get("n1", ())) or asked)

        def lines():
            yield b"first\n"
            more.wait(20)
            while True:
                yield b"later\n"
                threading.Event().wait(0.05)

        connection = server.connect()
        path = f"/apis/agent.beanpole.dev/v1/nodes/n1/streams/{asked[0]['id']}"
        try:
            connection.request(
                "POST", path, lines(), {"Authorization": "Bearer agent-token"}, encode_chunked=True
            )
        except OSError:
            broken.set()

    thread = threading.Thread(target=agent, daemon=True)
    thread.start()
    connection = server.connect()
    response = server.send(connection, "GET", f"{PODS}/p/log?follow=true")
    assert (response.status, response.readline()) == (200, b"first\n")
    more.set()
    assert response.readline() == b"later\n"
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    assert broken.wait(20), "the agent was not told to stop"
    thread.join(5)


def test_sigterm_ends_idle_connections_and_watches(server):
    idle, watching = server.connect(), server.connect()
    server.send(idle, "GET", CONFIGS).read()
    response = server.send(watching, "GET", f"{CONFIGS}?watch=true")
    server.process.send_signal(signal.SIGTERM)
    # Were they waited for, it would take the graceful timeout and end with a kill.
    assert response.read() == b""
    assert server.process.wait(30) == 0


def test_what_can_t_be_started_says_why_in_one_line(server, tmp_path):
    def tried(**changed):
        environ = {**server.environ, **changed}
        done = subprocess.run(
            [sys.executable, "-m", "app.api.serve"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr

    assert f"can't listen on 127.0.0.1:{server.port}" in tried()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    elsewhere = {"BEANPOLE_SERVER": f"https://127.0.0.1:{free}"}
    assert "can't be used" in tried(BEANPOLE_CERT_FILE=str(tmp_path / "none.pem"), **elsewhere)
    assert "no Redis answers" in tried(BEANPOLE_REDIS_URL=f"unix://{tmp_path}/none.sock", **elsewhere)


@pytest.mark.parametrize("kubectl", KUBECTLS or ["none"])
def test_kubectl_works_as_it_is(server, tmp_path, kubectl):
    if not KUBECTLS:
        reason = "there is no kubectl"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    environ = {"KUBECONFIG": server.kubeconfig(), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    (tmp_path / "web.json").write_text(json.dumps(WEB))

    def run(*arguments, code=0):
        done = subprocess.run(
            [kubectl, *arguments], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stderr
        assert "rror" not in done.stderr or code, done.stderr
        return done.stdout + done.stderr

    assert "deployments" in run("api-resources")
    assert "created" in run("apply", "-f", str(tmp_path / "web.json"))
    assert "unchanged" in run("apply", "-f", str(tmp_path / "web.json"))
    assert "0/1" in run("get", "deployments")
    assert "web:1" in run("get", "deployment", "web", "-o", "wide")
    assert "scaled" in run("scale", "deployment/web", "--replicas=4")
    assert run("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "4"
    assert "labeled" in run("label", "deployment", "web", "tier=front")
    assert "No resources found" in run("get", "pods", "-l", "app=web")
    assert "Desired number" in run("explain", "deployment.spec.replicas") or "replicas" in run(
        "explain", "deployment.spec"
    )
    assert "met" in run("wait", "--for=jsonpath={.spec.replicas}=4", "deployment/web", "--timeout=10s")
    assert 'deployments.apps "nope" not found' in run("get", "deployment", "nope", code=1)
    assert "deleted" in run("delete", "-f", str(tmp_path / "web.json"), "--wait=false")


@pytest.mark.parametrize(
    ("head", "over"),
    [
        (b"", True),
        (b"\x15\x03\x03\x00\x1a", True),
        (b"\x17\x03\x03\x00\x13", True),
        (b"\x17\x03\x03\x00\x40", False),
    ],
)
def test_the_end_of_a_connection_is_told_from_data(head, over):
    assert closing(head) is over
