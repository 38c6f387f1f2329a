"""What the contract of Runtime is tried on: one subject for each implementation.

A subject is one machine. `runtime()` gives a new Runtime of it, as a restarted agent would have; `start_of`
says how this machine is told to run a program; `leftovers` is all that still carries the test's mark.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker

from app.base.clock import SystemClock
from workers.runtime.docker import DockerRuntime, config, labels
from workers.runtime.process import ProcessRuntime
from workers.runtime.process.procfs import MARK
from workers.runtime.protocol import ContainerSpec, PodRef, Runtime, SandboxSpec
from workers.runtime.simulated import PREFIX, Machine, SimulatedRuntime

SLEEPS = "trap 'exit 143' TERM; sleep 1000 & wait"
STUBBORN = "trap '' TERM; echo deaf; while :; do sleep 1000; done"
SPEAKS = "echo one; echo two; echo three; " + SLEEPS
CLOCK = SystemClock()
ECHO = """
import os, socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
socketserver.ThreadingTCPServer((os.environ["POD_IP"], 8099), Echo).serve_forever()
"""


@dataclass(frozen=True)
class Program:
    """One program, as a shell runs it and as a simulation is told it."""

    script: str
    annotations: Mapping[str, str]


SLEEPER = Program(SLEEPS, {})
STUBBORN_ONE = Program(STUBBORN, {"ignore-term": "true", "log": "deaf"})
SPEAKER = Program(SPEAKS, {"log": "one\\ntwo\\nthree"})
BRIEF = Program("sleep 0.2; exit 3", {"crash-after": "0.2", "exit-code": "3"})
FAST = Program("exit 3", {"crash-after": "0", "exit-code": "3"})


BUSY = Program("while :; do :; done", {"cpu": "1", "memory": "1Mi"})


def uid(number: int | str = "") -> str:
    """A pod's uid that no other test process uses (but those it starts): runtimes of one machine see each other's
    processes."""
    run, worker = os.environ.get("BEANPOLE_TEST_RUN", "0"), os.environ.get("PYTEST_XDIST_WORKER", "gw")
    return f"{run}{worker}-{number}"


class Subject:
    """One machine. Pods are numbered, so that their addresses differ."""

    name = ""
    cidr = "10.245.9.0/24"

    def __init__(self) -> None:
        self._made: list[Runtime] = []

    def runtime(self) -> Runtime:
        made = self._make()
        made.prepare(self.cidr)
        self._made.append(made)
        return made

    def sandbox(self, number: int, program: Program = SLEEPER) -> SandboxSpec:
        pod = PodRef(uid(number), "default", f"pod-{number}")
        address = self.cidr.removesuffix("0/24") + str(10 + number)
        told = {PREFIX + key: value for key, value in program.annotations.items()}
        return SandboxSpec(pod, address, pod.name, "nameserver 10.96.0.10\n", f"{address} {pod.name}\n", told)

    def container(self, program: Program = SLEEPER, attempt: int = 0, **more: object) -> ContainerSpec:
        command = ("/bin/sh", "-c", program.script)
        # Whoever asks for nothing may wait long for its first instruction on a busy machine.
        more.setdefault("cpu_request_millis", 1000)
        return ContainerSpec("main", attempt, "beanpole-test/busybox:1", command, **more)  # type: ignore[arg-type]

    def kill_process(self, runtime: Runtime, pod: PodRef) -> None:
        """Kill the container's own process from outside, as an accident would."""
        raise NotImplementedError

    def interrupted_start(self, runtime: Runtime, sandbox: SandboxSpec, spec: ContainerSpec) -> None:
        """Leave what an agent leaves that dies between creating a container and starting it."""
        raise NotImplementedError

    def settle(self, runtime: Runtime) -> None:
        """Wait until a listener to `events` that was just started hears everything."""

    def server(self) -> Program:
        """A program that echoes on port 8099 of its pod's address."""
        raise NotImplementedError

    def leftovers(self) -> list[str]:
        raise NotImplementedError

    def close(self) -> None:
        for made in self._made:
            made.close()

    def _make(self) -> Runtime:
        raise NotImplementedError


class SimulatedSubject(Subject):
    name = "simulated"

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine()

    def _make(self) -> SimulatedRuntime:
        return SimulatedRuntime(CLOCK, "n1", self.machine)

    def kill_process(self, runtime: Runtime, pod: PodRef) -> None:
        assert isinstance(runtime, SimulatedRuntime)
        runtime.kill(pod.uid, "main")

    def leftovers(self) -> list[str]:
        return list(self.machine.pods)


class ProcessSubject(Subject):
    name = "process"
    cidr = "127.245.9.0/24"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bp-process-"))

    def _make(self) -> ProcessRuntime:
        return ProcessRuntime(self.folder, CLOCK)

    def kill_process(self, runtime: Runtime, pod: PodRef) -> None:
        recorded = self.pod_folder(pod).container("main", 0).recorded()
        assert recorded is not None
        recorded.main.kill(9)

    def pod_folder(self, pod: PodRef):  # type: ignore[no-untyped-def]
        from workers.runtime.process.files import NodeFolder

        return NodeFolder(self.folder).pod(pod.uid)

    def interrupted_start(self, runtime: Runtime, sandbox: SandboxSpec, spec: ContainerSpec) -> None:
        self.pod_folder(sandbox.pod).container(spec.name, spec.attempt).create(spec)

    def server(self) -> Program:
        return Program("exec python3 -c " + shlex.quote(ECHO), {})

    def leftovers(self) -> list[str]:
        folders = [str(path) for path in (self.folder / "pods").glob("*")]
        return folders + processes_marked(f"{MARK}={uid()}")

    def close(self) -> None:
        runtime = self.runtime()
        for pod in runtime.pods():
            runtime.remove_pod(pod.pod)
        super().close()
        shutil.rmtree(self.folder)


class DockerSubject(Subject):
    name = "docker"
    # No two networks of one engine may overlap, whoever else runs tests on it.
    cidr = f"10.{64 + os.getpid() % 32}.9.0/24"

    def __init__(self, client: docker.APIClient, cluster: str) -> None:
        super().__init__()
        self.client = client
        self.cluster = cluster
        self.folder = Path(tempfile.mkdtemp(prefix="bp-docker-"))

    def _make(self) -> DockerRuntime:
        return DockerRuntime(self.cluster, "n1", self.folder, CLOCK)

    def kill_process(self, runtime: Runtime, pod: PodRef) -> None:
        self.client.kill(self._owner.container_name(pod.uid, "main", 0), "SIGKILL")

    def interrupted_start(self, runtime: Runtime, sandbox: SandboxSpec, spec: ContainerSpec) -> None:
        body = config.container(self._owner, sandbox.pod, spec, self.folder / "pods" / sandbox.pod.uid)
        name = self._owner.container_name(sandbox.pod.uid, spec.name, spec.attempt)
        self.client.create_container_from_config(body, name)

    def server(self) -> Program:
        return Program("exec nc -ll -p 8099 -e cat", {})

    def leftovers(self) -> list[str]:
        containers = self.client.containers(all=True, filters={"label": [f"{labels.CLUSTER}={self.cluster}"]})
        return [c["Names"][0] for c in containers] + [str(path) for path in (self.folder / "pods").glob("*")]

    @property
    def _owner(self) -> labels.Owner:
        return labels.Owner(self.cluster, "n1")

    def close(self) -> None:
        runtime = self.runtime()
        assert isinstance(runtime, DockerRuntime)
        runtime.remove_node()
        super().close()
        assert self.client.networks(names=[self._owner.network]) == []
        shutil.rmtree(self.folder, ignore_errors=True)


def processes_marked(mark: str) -> list[str]:
    """The command lines of all processes with `mark` at the start of a line of their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environ = (entry / "environ").read_bytes().split(b"\0")
            if any(item.startswith(mark.encode()) for item in environ):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def eventually(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until `condition` holds."""
    deadline = CLOCK.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert CLOCK.monotonic() < deadline, f"not within {seconds} s: {what}"
        pause.wait(0.01)
