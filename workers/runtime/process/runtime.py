"""The runtime for a machine without an engine: each container is a supervised process group.

A container's process sees the machine's files and programs; its image is only a name, so a pod needs
`command`. Pods have addresses out of 127.0.0.0/8: **a server must bind to the address in `$POD_IP`** (given to every
container), for one that binds to 0.0.0.0 takes its port on every pod's address. Where the right to mount is
had (root, or user namespaces), each container has volumes, /etc/hosts and /etc/resolv.conf in a private view of the
file system. Limits of cpu and memory, a read-only root and privileges can't be enforced.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import platform
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.base.clock import Clock
from workers.runtime import crilog, images, machine, tcp
from workers.runtime.interactive import Interactive
from workers.runtime.process import attach, execute, interactive, launch, reaping, usage
from workers.runtime.process.files import ContainerFolder, NodeFolder, PodFolder, ref
from workers.runtime.process.procfs import MARK
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
    State,
    Unsupported,
    Usage,
)
from workers.runtime.rewriting import rewrite

log = logging.getLogger(__name__)

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
# Where every pod finds the token of its ServiceAccount; and the variable that says where it lies instead, if nothing
# can be mounted.
ACCOUNT_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
ACCOUNT_FOLDER = "BEANPOLE_SERVICE_ACCOUNT"


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
        self._watch = Watch()
        self._say_what_it_cannot()
        self._adopt()

    # --- the node

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

    # --- what there is

    def pods(self) -> list[PodState]:
        shown = [self._show(folder) for folder in self._files.pods()]
        return [pod for pod in shown if pod is not None]

    def pod(self, uid: str) -> PodState | None:
        return self._show(self._files.pod(uid))

    def _show(self, folder: PodFolder) -> PodState | None:
        sandbox = folder.sandbox()
        if sandbox is None:
            return None
        states = [self._state(c) for c in folder.containers()]
        return PodState(ref(sandbox), sandbox["address"], True, tuple(s for s in states if s is not None))

    def _state(self, folder: ContainerFolder) -> ContainerState | None:
        spec = folder.spec()
        if spec is None:
            return None
        shown = ContainerState(folder.name, folder.attempt, State.CREATED, folder.id, spec["image"])
        recorded = reaping.current(folder, self._boot, self._clock.now())
        if recorded is None:
            return shown
        return replace(
            shown,
            state=State.RUNNING if recorded.exit_code is None else State.EXITED,
            started_at=recorded.started_at,
            finished_at=recorded.finished_at,
            exit_code=recorded.exit_code or 0,
            message=recorded.message,
        )

    # --- starting

    def start_sandbox(self, spec: SandboxSpec) -> None:
        folder = self._files.pod(spec.pod.uid)
        if folder.sandbox() is None:
            folder.create(spec)

    def refresh(self, pod: PodRef, hosts: str) -> None:
        rewrite(self._files.pod(pod.uid).path / "hosts", hosts)

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        self._refuse(spec)
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
            folder.create(spec)
            try:
                launch.start(folder.path, self._boot, self._launch(parent, sandbox, folder, spec))
            except ContainerError:
                folder.remove()
                raise
        recorded = folder.recorded()
        state = self._state(folder)
        if recorded is None or state is None:
            raise ContainerError("RunContainerError", f"container {spec.name} vanished while it was started")
        self._watch.add(folder, recorded.shim)
        return state

    def _launch(
        self, parent: PodFolder, sandbox: dict[str, str], folder: ContainerFolder, spec: ContainerSpec
    ) -> launch.Launch:
        address = sandbox["address"]
        env = launch.base_env() | {"HOSTNAME": sandbox["hostname"], "POD_IP": address} | dict(spec.env)
        if spec.tty:
            env.setdefault("TERM", "xterm")
        env |= {"BEANPOLE_POD_IP": address, MARK: folder.id}
        if any("\0" in text for text in (*env, *env.values(), *(spec.command or ()), *(spec.args or ()))):
            raise ContainerError("CreateContainerError", "a NUL byte can't be in a command or an environment")
        work = folder.path / "work"
        if spec.run_as_user is not None and os.geteuid() == 0:
            self._open_to(spec.run_as_user, spec.run_as_group, work)
        mounts = [(m.source, m.target, m.read_only) for m in spec.mounts]
        if not self._mode:
            # What every pod has must not keep all pods from running: it lies elsewhere, and the pod is told where.
            env.update((ACCOUNT_FOLDER, source) for source, target, _ in mounts if target == ACCOUNT_MOUNT)
            mounts = []
        targets = {m.target for m in spec.mounts}
        if self._mode:
            for name in ("resolv.conf", "hosts"):
                source = parent.path / name
                if f"/etc/{name}" not in targets and source.stat().st_size:
                    mounts.append((str(source), f"/etc/{name}", False))
        return launch.Launch(
            mode=self._mode if mounts else "",
            directory=spec.working_dir or str(work),
            command=[*(spec.command or ()), *(spec.args or ())],
            env=env,
            uid=-1 if spec.run_as_user is None else spec.run_as_user,
            gid=-1 if spec.run_as_group is None else spec.run_as_group,
            staging=str(folder.path / "root"),
            mounts=mounts,
            wishes=launch.wishes(spec),
        )

    def _open_to(self, uid: int, gid: int | None, work: Path) -> None:
        """Let another user reach its own folder, without letting it list the others."""
        os.chown(work, uid, -1 if gid is None else gid)
        for above in work.parents:
            if above.is_relative_to(self._files.path):
                above.chmod(above.stat().st_mode | 0o011)

    def _refuse(self, spec: ContainerSpec) -> None:
        """What can't be done without an engine, by the field that asks for it."""
        where = f"spec.containers[{spec.name}]"
        if not spec.command:
            raise Unsupported(
                f"{where}.command: required by the process runtime, where an image ({spec.image}) is only a name"
            )
        root = os.geteuid() == 0
        if spec.run_as_user is not None and not root and spec.run_as_user != os.geteuid():
            raise Unsupported(f"{where}.securityContext.runAsUser: needs an agent that runs as root")
        if spec.run_as_group is not None and not root and spec.run_as_group != os.getegid():
            raise Unsupported(f"{where}.securityContext.runAsGroup: needs an agent that runs as root")
        for mount in spec.mounts:
            if mount.volume is not None:
                raise Unsupported(
                    f"{where}.volumeMounts[{mount.target}]: the process runtime has no engine that mounts "
                    f"{mount.volume.driver} volumes"
                )
        mounts = [mount for mount in spec.mounts if mount.target != ACCOUNT_MOUNT]
        if mounts and not self._mode:
            raise Unsupported(
                f"{where}.volumeMounts[{mounts[0].target}]: needs an agent that runs as root, or user namespaces"
            )

    # --- ending

    def stop_container(self, pod: PodRef, container_id: str, grace: float) -> None:
        folder = self._find(pod, container_id)
        if folder is not None:
            reaping.stop(folder, self._boot, grace, self._clock)

    def remove_container(self, pod: PodRef, container_id: str) -> None:
        folder = self._find(pod, container_id)
        if folder is not None:
            reaping.stop(folder, self._boot, 0, self._clock)
            folder.remove()

    def remove_pod(self, pod: PodRef) -> None:
        parent = self._files.pod(pod.uid)
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
        )
        started = self._launch(parent, sandbox, folder, asked)
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
        return tcp.count(tcp.tables(), sandbox["address"]) if sandbox else 0

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
            "process runtime: containers are plain processes of this machine; cpu and memory limits, "
            "readOnlyRootFilesystem and privileges are not enforced; servers must bind to $POD_IP; %s",
            view,
        )
