"""A Docker engine of the tests' own, which may be killed, restarted, hung and starved without anybody else noticing.

It has its own data, sockets, containerd and cgroup parent, and leaves the machine's packet filter alone: two engines
would clear each other's chains. It has a bridge of its own, too: an engine that is told to have none removes `docker0`,
whosever that is.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import requests.exceptions

from tests.e2e.waiting import until
from tests.faults import traces
from tests.images import local

_PR_SET_PDEATHSIG = 1
_numbers = itertools.count(1)
_CONTAINERD = """version = 2
root = "{folder}/c-root"
state = "{folder}/c-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/c.sock"
"""


def lacking() -> str:
    """Why this machine can't have an engine of one's own; empty if it can."""
    if os.geteuid() != 0:
        return "an engine of one's own needs root"
    missing = [program for program in ("dockerd", "containerd", "runc") if shutil.which(program) is None]
    return f"no {', '.join(missing)} on this machine" if missing else ""


class OwnEngine:
    """One engine below `folder`, whose path has to be short: it holds sockets.

    Attributes:
        url: where it listens, as DOCKER_HOST has it.
        data: where images and containers lie, which may be a mount of the test's own.
    """

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.url = f"unix://{folder}/d.sock"
        # The engine takes letters, digits and single signs between them; a temporary folder's name may have more.
        self.cgroup = f"beanpole-faults-{folder.name.encode().hex()}"
        self._number = next(_numbers)
        self._bridge = f"bpf{os.getpid()}x{self._number}"
        self.process: subprocess.Popen[bytes] | None = None
        self._containerd: subprocess.Popen[bytes] | None = None
        (folder / "config.json").write_text("{}")
        (folder / "containerd.toml").write_text(_CONTAINERD.format(folder=folder))

    def start(self, *, live_restore: bool = False) -> None:
        """Start it, and return when it answers. Raises AssertionError with its log."""
        where = self.folder
        if self._containerd is None:
            self._make_bridge()
            # As on most machines it is no child of the engine's, and outlives it.
            self._containerd = self._begun(["containerd", "--config", str(where / "containerd.toml")])
            until(lambda: (where / "c.sock").exists(), 30, self.log, every=0.02)
        command = [
            "dockerd", "--config-file", str(where / "config.json"), "--data-root", str(self.data), "--exec-root",
            str(where / "exec"), "--host", self.url, "--pidfile", str(where / "d.pid"), "--bridge", self._bridge,
            "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false", "--userland-proxy=false",
            "--shutdown-timeout", "1", "--cgroup-parent", self.cgroup, "--containerd-namespace", self.cgroup,
            "--containerd-plugins-namespace", f"{self.cgroup}-plugins", f"--live-restore={str(live_restore).lower()}",
            "--log-level", "warn", "--containerd", str(where / "c.sock"),
        ]  # fmt: skip
        self.process = self._begun(command)
        until(self._answers, 60, self.log, every=0.02)

    def _make_bridge(self) -> None:
        address = f"10.{96 + os.getpid() % 16}.{self._number}.1/28"
        for words in (
            ["link", "add", self._bridge, "type", "bridge"],
            ["addr", "add", address, "dev", self._bridge],
            ["link", "set", self._bridge, "up"],
        ):
            subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    def _begun(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            # Should this process be killed, nobody else would end it.
            return subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_end_with_parent)

    def terminate(self) -> None:
        """SIGTERM, as a package's upgrade does; returns when it has ended."""
        self._signal(signal.SIGTERM)
        self._ended(60)

    def kill(self) -> None:
        """SIGKILL: its containers run on."""
        self._signal(signal.SIGKILL)
        self._ended(10)

    def hang(self) -> None:
        """It still listens, and never answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def client(self) -> docker.APIClient:
        return docker.APIClient(base_url=self.url, version="auto", timeout=60)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def close(self) -> None:
        """Remove all it holds, end it, and leave no process, mount or file of it."""
        try:
            if self.process is not None:
                self.resume()
                if self.process.poll() is not None:
                    self.start()
                self._emptied()
                self.terminate()
        finally:
            self.kill()
            if self._containerd is not None:
                self._containerd.terminate()
                self._containerd.wait(10)
            traces.end_processes(self.folder)
            traces.unmount(self.folder)
            traces.remove_cgroups(self.cgroup)
            subprocess.run(
                ["ip", "link", "delete", self._bridge], capture_output=True, check=False, timeout=20
            )
            shutil.rmtree(self.folder, ignore_errors=True)

    def _emptied(self) -> None:
        with contextlib.closing(self.client()) as client:
            for each in client.containers(all=True):
                with contextlib.suppress(docker.errors.APIError):
                    client.remove_container(each["Id"], v=True, force=True)
            for each in client.networks(filters={"driver": "bridge", "type": "custom"}):
                client.remove_network(each["Id"])

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the engine ended with {self.process.returncode}:\n{self.log()}")
        try:
            with contextlib.closing(docker.APIClient(base_url=self.url, version="auto", timeout=5)) as client:
                return bool(client.ping())
        except (docker.errors.DockerException, requests.exceptions.RequestException):
            return False

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def _ended(self, seconds: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


@contextlib.contextmanager
def running_engine(data: Path | None = None) -> Iterator[OwnEngine]:
    """An engine that has the image `tests.images.local.BUSYBOX`, of which nothing is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bpf-"))
    engine = OwnEngine(folder, data)
    try:
        engine.start()
        with contextlib.closing(engine.client()) as client:
            local.ensure_busybox(client)
        yield engine
    finally:
        engine.close()
    assert not folder.exists()
    assert traces.mounts(folder) == []
    assert traces.cgroups(engine.cgroup) == []


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
