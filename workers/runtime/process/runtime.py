"""The runtime for a machine without an engine: each container is a supervised process group.

A container's process sees the machine's files and programs; its image is only a name, so a pod needs
`command`. Pods have addresses out of 127.0.0.0/8: **a server must bind to the address in `$POD_IP`** (given to every
container), for one that binds to 0.0.0.0 takes its port on every pod's address. Where the right to mount is
had (root, or user namespaces), each container has volumes, /etc/hosts and /etc/resolv.conf in a private view of the
file system; where control groups can be made (root), each has one that holds it to its cpu, memory and processes.
Privileges are given up as far as this user has them (see `rights`).
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import platform
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.base.clock import Clock
from workers.runtime import crilog, disk_usage, images, machine, tcp
from workers.runtime.features import Feature
from workers.runtime.interactive import Interactive
from workers.runtime.process import (
    attach,
    cgroups,
    execute,
    interactive,
    launch,
    reaping,
    rights,
    shown,
    usage,
    views,
)
from workers.runtime.process.files import ContainerFolder, NodeFolder, ref, stored_security
from workers.runtime.process.holding import Holding
from workers.runtime.process.outfit import Outfitter
from workers.runtime.process.watch import Watch
from workers.runtime.protocol import (
    ContainerError,
    ContainerSpec,
    ContainerState,
    LogOptions,
    NodeInfo,
    PodRef,
    PodState,
    SandboxSpec,
    Usage,
)
from workers.runtime.resources import Limits, Resources
from workers.runtime.rewriting import rewrite

log = logging.getLogger(__name__)

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")


class ProcessRuntime:
    """Containers as processes of this machine, for one node. All it knows is in `folder`."""

    name = "process"

    def __init__(self, folder: Path, clock: Clock) -> None:
        """
        Args:
            folder: the node's own; made if missing. It must be kept for the pods to be found again.
        """
        self._files = NodeFolder(folder.absolute())
        self._files.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clock = clock
        self._boot = machine.boot_id()
        self._mode = launch.detect_mode()
        view = views.features(self._mode)
        self._features = view | rights.features(self._mode, view)
        self._outfitter = Outfitter(self._files.path, self._mode)
        self._holding = Holding(cgroups.find())
        if self._holding.place is not None:
            self._holding.place.sweep(clock.now())
        self._watch = Watch()
        self._say_what_it_cannot()
        self._adopt()

    # --- the node

    @property
    def features(self) -> frozenset[Feature]:
        return self._features | self._holding.features | {Feature.EPHEMERAL_STORAGE}

    def info(self) -> NodeInfo:
        return machine.info(f"process://python{platform.python_version()}", self._files.path)

    def prepare(self, pod_cidr: str) -> str:
        network = ipaddress.ip_network(pod_cidr)
        if not isinstance(network, ipaddress.IPv4Network) or not network.subnet_of(LOOPBACK):
            raise ContainerError(
                "InvalidPodCIDR",
                f"the process runtime needs pod addresses out of 127.0.0.0/8, not {pod_cidr}; set BEANPOLE_POD_CIDR",
            )
        return str(network[1])

    def ensure_image(self, image: str, policy: str) -> str:
        images.parse(image)
        return images.PRESENT

    def image_user(self, image: str) -> str:
        """See `KnowsImageUsers`: an image is only a name, and everything runs as the agent does."""
        return str(os.geteuid())

    # --- what there is

    def pods(self) -> list[PodState]:
        now = self._clock.now()
        found = [shown.pod(folder, self._boot, now) for folder in self._files.pods()]
        return [pod for pod in found if pod is not None]

    def pod(self, uid: str) -> PodState | None:
        return shown.pod(self._files.pod(uid), self._boot, self._clock.now())

    # --- starting

    def start_sandbox(self, spec: SandboxSpec) -> None:
        folder = self._files.pod(spec.pod.uid)
        with _translated("FailedCreatePodSandBox"):
            if folder.sandbox() is None:
                folder.create(spec)

    def refresh(self, pod: PodRef, hosts: str) -> None:
        rewrite(self._files.pod(pod.uid).path / "hosts", hosts)

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        self._outfitter.refuse(spec)
        parent = self._files.pod(pod.uid)
        sandbox = parent.sandbox()
        if sandbox is None:
            raise ContainerError("CreateContainerError", f"pod {pod.namespace}/{pod.name} has no sandbox")
        folder = parent.container(spec.name, spec.attempt)
        for other in parent.containers():
            if other.name == spec.name and other.attempt < spec.attempt:
                reaping.reap(other, self._boot, self._clock.now())
                if other.attempt < spec.attempt - 1:
                    other.remove()
        if folder.recorded() is None:
            try:
                with _translated("CreateContainerError"):
                    folder.create(spec)
                    self._holding.begin(folder, spec)
                    launch.start(
                        folder.path, self._boot, self._outfitter.launch(parent, sandbox, folder, spec)
                    )
            except ContainerError:
                folder.remove()
                raise
        recorded = folder.recorded()
        state = shown.container(folder, self._boot, self._clock.now())
        if recorded is None or state is None:
            raise ContainerError("RunContainerError", f"container {spec.name} vanished while it was started")
        self._watch.add(folder, recorded.shim)
        return state

    def resize_container(self, pod: PodRef, container_id: str, limits: Limits) -> None:
        """See `Resizes`."""
        self._holding.resize(self._running(pod, container_id), limits)

    def memory_in_use(self, pod: PodRef, container_id: str) -> int:
        """See `Resizes`."""
        return cgroups.memory_in_use(self._running(pod, container_id).groups())

    def disk_used(self, pod: PodRef) -> Mapping[str, int]:
        """See `TellsDisk`."""
        found: dict[str, int] = {}
        for folder in self._files.pod(pod.uid).containers():
            log_files = disk_usage.of_files(*folder.path.glob("log*"))
            found[folder.name] = (
                found.get(folder.name, 0) + log_files + disk_usage.of_folder(folder.path / "work")
            )
        return found

    def _running(self, pod: PodRef, container_id: str) -> ContainerFolder:
        folder = self._find(pod, container_id)
        if folder is None or not folder.groups():
            raise ContainerError("ResizeError", f"container {container_id} has no limits to change")
        return folder

    # --- ending

    def stop_container(self, pod: PodRef, container_id: str, grace: float) -> None:
        folder = self._find(pod, container_id)
        if folder is not None:
            with _translated("KillContainerError"):
                reaping.stop(folder, self._boot, grace, self._clock)

    def remove_container(self, pod: PodRef, container_id: str) -> None:
        folder = self._find(pod, container_id)
        if folder is not None:
            with _translated("RemoveContainerError"):
                reaping.stop(folder, self._boot, 0, self._clock)
                folder.remove()

    def remove_pod(self, pod: PodRef) -> None:
        parent = self._files.pod(pod.uid)
        with _translated("KillPodSandboxError"):
            for folder in parent.containers():
                reaping.stop(folder, self._boot, 0, self._clock)
            parent.remove()

    # --- looking inside

    def exec(
        self, pod: PodRef, container_id: str, command: Sequence[str], timeout: float
    ) -> tuple[int, bytes]:
        return execute.run(self._inside(pod, container_id, command), timeout, self._clock)

    def command(
        self, pod: PodRef, container_id: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> Interactive:
        return interactive.begin(self._inside(pod, container_id, command), stdin=stdin, tty=tty)

    def attach(self, pod: PodRef, container_id: str, *, stdin: bool, tty: bool) -> Interactive:
        return attach.line_to(self._find(pod, container_id), stdin=stdin)

    def connect(self, pod: PodRef, port: int, timeout: float) -> socket.socket:
        sandbox = self._files.pod(pod.uid).sandbox()
        if sandbox is None:
            raise ContainerError("PortForwardError", f"pod {pod.namespace}/{pod.name} has no sandbox")
        return socket.create_connection((sandbox["address"], port), timeout)

    def _inside(self, pod: PodRef, container_id: str, command: Sequence[str]) -> launch.Launch:
        """How a command comes to run in the surroundings of a container. Raises ContainerError: it does not run."""
        folder = self._find(pod, container_id)
        recorded = folder.recorded() if folder else None
        parent = self._files.pod(pod.uid)
        sandbox = parent.sandbox()
        if folder is None or sandbox is None or recorded is None or not recorded.main.alive():
            raise ContainerError("ExecError", f"container {container_id} is not running")
        spec = folder.spec() or {}
        asked = ContainerSpec(
            name=folder.name,
            attempt=folder.attempt,
            image=spec["image"],
            env=spec["env"],
            working_dir=spec["working_dir"],
            run_as_user=spec["run_as_user"],
            run_as_group=spec["run_as_group"],
            privileged=bool(spec.get("privileged")),
            security=stored_security(spec.get("security") or {}),
            resources=Resources(oom_score_adj=(spec.get("resources") or {}).get("oom_score_adj", 0)),
        )
        started = self._outfitter.launch(parent, sandbox, folder, asked)
        private = bool(self._mode) and reaping.is_private(recorded.main)
        inside = replace(started, command=list(command), mode=self._mode if private else "", mounts=())
        return replace(inside, join=recorded.main.pid if private else -1)

    def logs(self, pod: PodRef, container: str, options: LogOptions) -> Iterator[bytes]:
        named = [c for c in self._files.pod(pod.uid).containers() if c.name == container]
        wanted = [c for c in named if options.attempt in (None, c.attempt)]
        if not wanted:
            raise KeyError(container)
        folder = wanted[-1]

        def ended(seconds: float) -> bool:
            recorded = folder.recorded()
            if recorded is None or recorded.exit_code is not None:
                return True
            return recorded.shim.wait(seconds)

        return crilog.read(folder.path / "log", options, ended)

    def connections(self, pod: PodRef) -> int:
        sandbox = self._files.pod(pod.uid).sandbox()
        # Of an address that is the machine's nobody can tell which connections are the pod's.
        own = sandbox is not None and not sandbox.get("in_machine")
        return tcp.count(tcp.tables(), sandbox["address"]) if sandbox and own else 0

    def usage(self) -> Usage:
        running = []
        for parent in self._files.pods():
            sandbox = parent.sandbox()
            for folder in parent.containers() if sandbox else ():
                recorded = folder.recorded()
                if sandbox and recorded and recorded.exit_code is None and recorded.boot == self._boot:
                    running.append((ref(sandbox), folder, recorded))
        return usage.measured(running)

    # --- deaths

    def events(self) -> Iterator[str]:
        for folder in self._watch.deaths(lambda f: reaping.reap(f, self._boot, self._clock.now())):
            yield folder.uid

    def close(self) -> None:
        self._watch.close()

    # --- within

    def _adopt(self) -> None:
        """Watch what runs; see to what died while no agent looked."""
        for parent in self._files.pods():
            for folder in parent.containers():
                recorded = folder.recorded()
                if recorded is not None and recorded.exit_code is None:
                    self._watch.add(folder, recorded.shim)

    def _find(self, pod: PodRef, container_id: str) -> ContainerFolder | None:
        return next((c for c in self._files.pod(pod.uid).containers() if c.id == container_id), None)

    def _say_what_it_cannot(self) -> None:
        view = {
            "root": "each container has a private view of the file system for volumes and name resolution",
            "user": "each container has a private view of the file system (by a user namespace)",
            "": "this user may not make mount namespaces: no volumes, and names of Services don't resolve in pods",
        }[self._mode]
        log.warning(
            "process runtime: containers are plain processes of this machine; %sservers must bind to $POD_IP; %s",
            "" if self._holding.place else "limits of cpu, memory and processes are not enforced; ",
            view,
        )


@contextlib.contextmanager
def _translated(reason: str) -> Iterator[None]:
    """Turn what the machine refuses (its disk is full, say) into a ContainerError of that reason."""
    try:
        yield
    except OSError as exc:
        raise ContainerError(reason, str(exc)) from exc
