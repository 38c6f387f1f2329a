"""A whole cluster as a user starts it, and kubectl to talk to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.waiting import until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# The kubectl of the development dependencies, and another version where the machine has one.
KUBECTLS = [str(path) for path in (BIN / "kubectl", Path("/usr/bin/kubectl")) if path.exists()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_parts = itertools.count()


def _free_part() -> int:
    """One of 64 parts of the address space: sixteen for each test process, taken in turn."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return process % 4 * 16 + next(_parts) % 16


class Cluster:
    """`beanpole up` in a folder of its own."""

    def __init__(self, folder: Path, runtime: str, nodes: int = 1, **environ: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.runtime = runtime
        self.nodes = nodes
        self.port = free_port()
        # One cluster's containers and service rules are told from another's by its name.
        self.name = f"t{os.getpid()}x{self.port}"
        self.environ = {**os.environ, "BEANPOLE_CLUSTER": self.name, **environ}
        if runtime == "docker":
            # Ranges that no other cluster of this machine has, not even a user's own.
            part = _free_part()
            self.environ |= {
                "BEANPOLE_POD_CIDR": f"10.{128 + part}.0.0/16",
                "BEANPOLE_SERVICE_CIDR": f"10.{192 + part}.0.0/16",
            }
        self.environ.pop("KUBECONFIG", None)
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.agents: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str) -> None:
        """Start it and return when it says that it is ready."""
        command = [
            str(BIN / "beanpole"), "up", "--state", str(self.state), "--runtime", self.runtime,
            "--nodes", str(self.nodes), "--port", str(self.port), *options,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        until(lambda: self.said("the cluster is ready") or self.process.poll() is not None, 90, self.output)
        assert self.process.poll() is None, self.output()

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip())

    def said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def output(self) -> str:
        return "\n".join(self.lines[-80:])

    def kubectl(self, *words: str, stdin: str | None = None, ok: bool = True) -> str:
        """What kubectl prints. With `ok` it must succeed, and say nothing on stderr."""
        done = self.try_kubectl(*words, stdin=stdin)
        if ok:
            assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}\n{self.output()}"
            assert not done.stderr.strip(), f"kubectl {' '.join(words)} warned: {done.stderr}"
        return done.stdout

    def try_kubectl(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "KUBECONFIG": str(self.state / "kubeconfig"), "HOME": str(self.folder)}
        return subprocess.run(
            [str(BIN / "kubectl"), *words],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=150,
            cwd=ROOT,
        )

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def items(self, *words: str) -> list[Any]:
        return list(self.get(*words)["items"])

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(manifest) for manifest in manifests))

    def namespace(self, name: str) -> str:
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def add_agent(self, node: str, **environ: str) -> subprocess.Popen[bytes]:
        """One more node of this machine, whose agent is ours to kill."""
        log = (self.folder / f"{node}.log").open("wb")
        agent = subprocess.Popen(
            [str(BIN / "beanpole"), "agent", "--state", str(self.state), "--node", node],
            env={**self.environ, **environ}, cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
        self.agents.append(agent)
        return agent

    def programs(self) -> dict[str, int]:
        """The supervised programs and their process ids."""
        assert self.process is not None
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except (OSError, ValueError):
                continue
            if parent == self.process.pid:
                found[" ".join(words)] = int(entry.name)
        return found

    def close(self) -> None:
        """Remove everything it ran, then the folder."""
        for agent in self.agents:
            if agent.poll() is None:
                agent.kill()
                agent.wait()
        self.stop()
        if not (self.state / "environ.json").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        down = [str(BIN / "beanpole"), "down", "--state", str(self.state), "--yes", "--purge"]
        done = subprocess.run(down, env=self.environ, cwd=ROOT, capture_output=True, text=True, timeout=120)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def running(runtime: str, **environ: str) -> Iterator[Cluster]:
    """A cluster of one node, of which nothing is left afterwards."""
    made = Cluster(Path(tempfile.mkdtemp(prefix="bp-e2e-")), runtime, **environ)
    try:
        made.start()
        yield made
    finally:
        made.close()


def processes_below(state: Path) -> list[int]:
    """Processes that name the cluster's state folder, or that run in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            names = (entry / "cmdline").read_bytes().decode(errors="replace")
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if str(state) in names or where.startswith(str(state)):
            found.append(int(entry.name))
    return found


def ready_pods(pods: Sequence[Any]) -> list[str]:
    """Names of the pods that are Ready and not on their way out."""
    return sorted(
        pod["metadata"]["name"]
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            c["type"] == "Ready" and c["status"] == "True"
            for c in pod.get("status", {}).get("conditions", ())
        )
    )
