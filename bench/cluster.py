"""What is measured: a cluster given by its kubeconfig, or a fresh one of our own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.api import Access, ApiFailure, Client, read

NAMESPACE = "beanpole-bench"
CLUSTER = "bench"
BEANPOLE = str(Path(sys.executable).parent / "beanpole")
START_SECONDS = 120
# Ranges of its own, so that a cluster that a user runs on this machine is not in the way.
RANGES = {
    "docker": ("10.97.0.0/16", "10.240.0.0/14"),
    "simulated": ("10.97.0.0/16", "10.128.0.0/10"),
    "process": ("127.97.0.0/16", "127.64.0.0/11"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster to measure. `root` is the process all of it descends from, if known (0 if not);
    `runtime` is what runs its containers (`docker` for a Kubernetes with Docker, too)."""

    access: Access
    runtime: str
    root: int = 0

    def client(self) -> Client:
        return Client(self.access)


def given(kubeconfig: Path, runtime: str, root: int) -> Target:
    return Target(read(kubeconfig), runtime, root)


@contextmanager
def fresh(runtime: str, nodes: int = 1) -> Iterator[tuple[Target, float]]:
    """A new cluster, and how many seconds it took from the command to all nodes Ready. Gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="beanpole-bench-"))
    state, port = folder / "state", _free_port()
    services, pods = RANGES[runtime]
    environ = {
        **os.environ,
        "BEANPOLE_CLUSTER": CLUSTER,
        "BEANPOLE_SERVICE_CIDR": services,
        "BEANPOLE_POD_CIDR": pods,
        # A log of 100 MB is to be there whole.
        "BEANPOLE_LOG_MAX_SIZE": "200Mi",
    }
    began = time.perf_counter()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [
                BEANPOLE, "up", "--runtime", runtime, "--nodes", str(nodes), "--state", str(state), "--port", str(port)
            ],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environ, start_new_session=True,
        )  # fmt: skip
    target = None
    try:
        target = _await_ready(process, state / "kubeconfig", runtime, nodes, folder / "log")
        yield target, time.perf_counter() - began
    finally:
        if target is not None and process.poll() is None:
            _empty(target)
        _stop(process)
        _remove(state)
        shutil.rmtree(folder, ignore_errors=True)


def _await_ready(
    process: subprocess.Popen[bytes], kubeconfig: Path, runtime: str, nodes: int, log: Path
) -> Target:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            target = Target(read(kubeconfig), runtime, process.pid)
            listed = target.client().json("GET", "/api/v1/nodes")["items"]
            if sum(_ready(node) for node in listed) >= nodes:
                return target
        except (OSError, KeyError, TypeError, ValueError, ApiFailure):
            pass
        time.sleep(0.02)
    said = log.read_text(errors="replace")[-3000:]
    raise SystemExit(f"beanpole up --runtime {runtime} did not become ready; it said:\n{said}")


def _ready(obj: dict) -> bool:
    conditions = obj.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _empty(target: Target) -> None:
    """Remove what measurements made, containers included."""
    client = target.client()
    try:
        client.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        wait_until(lambda: not client.json("GET", path)["items"], 60, "pods to be gone")
    except (OSError, ApiFailure, TimeoutError) as exc:
        print(f"cleaning up: {exc}", file=sys.stderr)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _remove(state: Path) -> None:
    """What a cluster leaves on the machine when it stops, so that it can go on later, and whatever could not be emptied."""
    if not (state / "environ.json").exists():
        return
    down = [BEANPOLE, "down", "--state", str(state), "--yes", "--purge"]
    done = subprocess.run(down, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"cleaning up: {done.stderr.strip()}", file=sys.stderr)


def make_namespace(client: Client) -> None:
    """The namespace of all measurements; there already is fine."""
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    try:
        client.json("POST", "/api/v1/namespaces", obj)
    except ApiFailure as exc:
        if " 409 " not in str(exc):
            raise


def wait_until(condition: Callable[[], object], seconds: float, what: str, every: float = 0.02) -> None:
    """Ask until it is so. Raises TimeoutError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
