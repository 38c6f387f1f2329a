"""Connections into pods, by kubectl at a terminal, the official Python client and kr8s."""

from __future__ import annotations

import os
import pty
import re
import select
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import kr8s
import pytest
from kr8s.objects import Pod
from kubernetes import client, config, stream
from kubernetes.stream import portforward

from tests.e2e.cluster import Cluster
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("clients")]
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
SERVER = """
import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from " + self.path.encode())
http.server.HTTPServer((os.environ["POD_IP"], 8080), Hello).serve_forever()
"""


@pytest.fixture(scope="module")
def core(cluster: Cluster) -> Iterator[client.CoreV1Api]:
    with config.new_client_from_config(str(cluster.state / "kubeconfig")) as api:
        yield client.CoreV1Api(api)


@pytest.fixture(scope="module")
def place(cluster: Cluster, core: client.CoreV1Api) -> str:
    """A namespace with a web server `web` in it that answers."""
    namespace = cluster.namespace("sessions")
    container = {"name": "c", "image": "python:3.12-alpine", "command": ["python3", "-c", SERVER]}
    container["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "web"}, "spec": spec})

    def ready() -> bool:
        found = core.read_namespaced_pod("web", namespace).status.conditions or []
        return any(each.type == "Ready" and each.status == "True" for each in found)

    until(ready, 60)
    return namespace


def test_the_python_client_runs_a_command_and_talks_to_it(core: client.CoreV1Api, place: str) -> None:
    run = core.connect_get_namespaced_pod_exec
    output = {"stdout": True, "stderr": True, "tty": False}
    assert stream.stream(run, "web", place, command=["echo", "hi"], stdin=False, **output) == "hi\n"
    line = stream.stream(run, "web", place, command=["sh"], stdin=True, _preload_content=False, **output)
    line.write_stdin("echo typed\n")
    assert line.readline_stdout(timeout=10) == "typed"
    line.write_stdin("exit 5\n")
    line.run_forever(timeout=10)
    assert line.returncode == 5


def test_the_python_client_forwards_ports_and_passes_requests_through(
    core: client.CoreV1Api, place: str
) -> None:
    forwarded = portforward(core.connect_get_namespaced_pod_portforward, "web", place, ports="8080")
    sock = forwarded.socket(8080)
    sock.setblocking(True)
    sock.sendall(b"GET /x HTTP/1.0\r\n\r\n")
    answer = b""
    while data := sock.recv(1000):
        answer += data
    assert answer.endswith(b"hello from /x")
    passed = core.connect_get_namespaced_pod_proxy_with_path("web:8080", place, "a/b")
    assert passed == "hello from /a/b"


def test_kr8s_runs_commands_and_forwards_ports(kubeconfig: str, place: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig)
    pod = Pod.get("web", namespace=place, api=api)
    done = pod.exec(["sh", "-c", "echo out; echo err >&2; exit 4"], check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 4)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    forward = pod.portforward(remote_port=8080, local_port=port)
    forward.start()

    def fetched() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/y", timeout=5) as answer:
                return bool(answer.read() == b"hello from /y")
        except OSError:
            return False

    until(fetched, 20)
    forward.stop()


def test_kubectl_gives_a_shell_on_a_terminal(kubeconfig: str, place: str) -> None:
    words = [KUBECTL, "--kubeconfig", kubeconfig, "-n", place, "exec", "-it", "web", "--", "sh"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(KUBECTL, words)

    def said(pattern: bytes) -> bytes:
        output, end = b"", time.monotonic() + 20
        while not re.search(pattern, output):
            assert time.monotonic() < end, output
            if select.select([terminal], [], [], 0.5)[0]:
                output += os.read(terminal, 4096)
        return output

    said(rb"[#$] $")
    os.write(terminal, b"tty; echo on$((1+1))\n")
    assert b"/dev/pts/" in said(rb"on2")
    os.write(terminal, b"sh -c 'echo be\\gun; exec sleep 1000'; echo slept\n")
    said(rb"\nbegun")
    os.write(terminal, b"\x03")
    said(rb"\^C[\s\S]*[#$] $")
    os.write(terminal, b"exit 7\n")
    said(rb"exit code 7")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
