"""The runtime on a Docker engine (or Podman's socket).

A pod is a sandbox, a container that only waits and holds the pod's address, and containers that join its network
and IPC. All of a node carries labels; the names are drawn from the labels, so doing a thing twice meets itself.
Calls to the engine are what costs, so each step makes as few as it can: starting is create, start, inspect.
"""

from __future__ import annotations

import math
import os
import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker.errors

from app.base.clock import Clock
from workers.runtime import crilog, machine, tcp
from workers.runtime.docker import (
    config,
    dialing,
    engine,
    execute,
    firewall,
    interactive,
    labels,
    network,
    pause,
)
from workers.runtime.docker.engine import is_conflict, is_gone, translated
from workers.runtime.docker.labels import Owner
from workers.runtime.docker.observed import Observed
from workers.runtime.docker.printed import printed
from workers.runtime.docker.pull import Images
from workers.runtime.docker.usage import Meter
from workers.runtime.interactive import Interactive
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
    Usage,
)
from workers.runtime.rewriting import rewrite

# How long a removal that the engine already has under way may take, in seconds.
REMOVAL_WAIT = 30.0


class DockerRuntime:
    """Containers of one node on an engine."""

    name = "docker"

    def __init__(self, cluster: str, node: str, folder: Path, clock: Clock, cluster_cidr: str = "") -> None:
        """
        Args:
            folder: the node's own, for the files that pods have mounted. The engine must see it under the same path.
            cluster_cidr: the range of all pods, between which traffic on this machine is let through.
        """
        self._owner = Owner(cluster, node)
        self._folder = folder.absolute()
        self._clock = clock
        self._cluster_cidr = cluster_cidr
        self._client = engine.connect()
        self._images = Images(self._client)
        self._pause = pause.IMAGE
        self._seen = Observed(self._client, self._owner)
        self._meter = Meter(self._client, self._owner)
        self._heard_until = clock.now()
        self._lock = threading.Lock()
        self._stream: object | None = None
        self._closed = False

    # --- the node

    def info(self) -> NodeInfo:
        with translated(engine.UNAVAILABLE):
            said = self._client.info()
        mine = machine.info(f"docker://{said['ServerVersion']}", Path(said.get("DockerRootDir") or "/"))
        return NodeInfo(
            cpu_millis=said["NCPU"] * 1000,
            memory_bytes=said["MemTotal"],
            disk_bytes=mine.disk_bytes,
            max_pods=mine.max_pods,
            runtime_version=mine.runtime_version,
            kernel_version=said["KernelVersion"],
            os_image=said["OperatingSystem"],
            architecture=machine.architecture(said["Architecture"]),
            machine_id=mine.machine_id,
        )

    def prepare(self, pod_cidr: str) -> str:
        with translated(engine.UNAVAILABLE):
            said = self._client.info()
        self._pause = pause.ensure(self._client, said["Architecture"])
        gateway = network.ensure(self._client, self._owner, pod_cidr, said["ServerVersion"])
        if self._cluster_cidr:
            firewall.join_nodes(self._owner.cluster, self._cluster_cidr)
        return gateway

    def ensure_image(self, image: str, policy: str) -> str:
        return self._images.ensure(image, policy)

    # --- what there is

    def pods(self) -> list[PodState]:
        return self._seen.pods()

    def pod(self, uid: str) -> PodState | None:
        return next(iter(self._seen.pods(**{labels.POD_UID: uid})), None)

    # --- starting

    def start_sandbox(self, spec: SandboxSpec) -> None:
        name = self._owner.sandbox_name(spec.pod.uid)
        self._write_files(spec)
        with translated("FailedCreatePodSandBox"):
            try:
                made = self._client.create_container_from_config(
                    config.sandbox(self._owner, spec, self._pause), name
                )["Id"]
            except docker.errors.APIError as exc:
                if not is_conflict(exc):
                    raise
                status = self._client.inspect_container(name)["State"]["Status"]
                if config.state_of(status) is State.RUNNING:
                    return
                if config.state_of(status) is State.EXITED:
                    self._remove(name)
                    self.start_sandbox(spec)
                    return
                made = name
            try:
                self._client.start(made)
            except docker.errors.APIError:
                self._remove(made)
                raise

    def _write_files(self, spec: SandboxSpec) -> None:
        files = self._files(spec.pod.uid)
        files.mkdir(parents=True, exist_ok=True)
        # Written in place: a container has the very file mounted.
        (files / "hosts").write_text(spec.hosts)
        (files / "resolv.conf").write_text(spec.resolv_conf)

    def refresh(self, pod: PodRef, hosts: str) -> None:
        rewrite(self._files(pod.uid) / "hosts", hosts)

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        name = self._owner.container_name(pod.uid, spec.name, spec.attempt)
        made = self._created(pod, spec, name)
        if made is None:
            existing = self._seen.container(name)
            if existing is not None and existing.state is not State.CREATED:
                return existing
            made = name
        try:
            with translated("RunContainerError"):
                self._client.start(made)
        except ContainerError as exc:
            self._remove(made)
            if _lacks_sandbox(exc.message):
                raise self._no_sandbox(pod) from exc
            raise
        if spec.attempt >= 2:
            self._remove(self._owner.container_name(pod.uid, spec.name, spec.attempt - 2))
        state = self._seen.container(made)
        if state is None:
            raise ContainerError("RunContainerError", f"container {spec.name} was removed as it started")
        return state

    def _created(self, pod: PodRef, spec: ContainerSpec, name: str) -> str | None:
        """The id of the new container; None if one of that name is there."""
        with translated("CreateContainerError"):
            try:
                body = config.container(self._owner, pod, spec, self._files(pod.uid))
                return str(self._client.create_container_from_config(body, name)["Id"])
            except docker.errors.APIError as exc:
                if is_conflict(exc):
                    return None
                said = str(exc.explanation)
                if _lacks_sandbox(said) or self._owner.sandbox_name(pod.uid) in said:
                    raise self._no_sandbox(pod) from exc
                if is_gone(exc):
                    self._images.forget(spec.image)
                raise

    def _no_sandbox(self, pod: PodRef) -> ContainerError:
        return ContainerError("CreateContainerError", f"pod {pod.namespace}/{pod.name} has no sandbox")

    # --- ending

    def stop_container(self, pod: PodRef, container_id: str, grace: float) -> None:
        with translated("KillContainerError"):
            try:
                if grace > 0:
                    # The SDK waits the grace period longer than for other calls.
                    self._client.stop(container_id, timeout=math.ceil(grace))
                else:
                    self._client.kill(container_id, "SIGKILL")
                    self._client.wait(container_id)
            except docker.errors.APIError as exc:
                # Not there, or not running.
                if not (is_gone(exc) or is_conflict(exc)):
                    raise

    def remove_container(self, pod: PodRef, container_id: str) -> None:
        self._remove(container_id)

    def remove_pod(self, pod: PodRef) -> None:
        with translated("KillPodSandboxError"):
            entries = self._client.containers(
                all=True, quiet=False, filters=self._owner.filter(**{labels.POD_UID: pod.uid})
            )
        # The sandbox last: as long as it is there, a restarted agent finds the pod.
        for entry in sorted(entries, key=lambda e: labels.CONTAINER not in e["Labels"]):
            self._remove(entry["Id"])
        shutil.rmtree(self._files(pod.uid), ignore_errors=True)

    def _remove(self, container: str) -> None:
        """Kill and remove; returns once it is gone."""
        deadline = self._clock.monotonic() + REMOVAL_WAIT
        with translated("RemoveContainerError"):
            while True:
                try:
                    self._client.remove_container(container, v=True, force=True)
                    return
                except docker.errors.APIError as exc:
                    if is_gone(exc):
                        return
                    # Another call removes it already.
                    if not is_conflict(exc) or self._clock.monotonic() > deadline:
                        raise
                    self._clock.sleep(0.02)

    def remove_volume(self, name: str) -> None:
        with translated("VolumeFailedDelete"):
            try:
                self._client.remove_volume(name)
            except docker.errors.APIError as exc:
                if not is_gone(exc):
                    raise

    def remove_node(self) -> None:
        """Remove all that this node has on the engine: pods, network, and with the cluster's last node the rules."""
        for pod in self.pods():
            self.remove_pod(pod.pod)
        if network.remove(self._client, self._owner):
            firewall.part_nodes(self._owner.cluster)
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- looking inside

    def exec(
        self, pod: PodRef, container_id: str, command: Sequence[str], timeout: float
    ) -> tuple[int, bytes]:
        return execute.run(self._client, container_id, command, timeout, self._clock)

    def command(
        self, pod: PodRef, container_id: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> Interactive:
        return interactive.Command(
            self._client, container_id, command, stdin=stdin, tty=tty, clock=self._clock
        )

    def attach(self, pod: PodRef, container_id: str, *, stdin: bool, tty: bool) -> Interactive:
        return interactive.attached(self._client, container_id, stdin=stdin, tty=tty, now=self._clock.now())

    def connect(self, pod: PodRef, port: int, timeout: float) -> socket.socket:
        return dialing.connect(self._client, self._owner.sandbox_name(pod.uid), port, timeout)

    def logs(self, pod: PodRef, container: str, options: LogOptions) -> Iterator[bytes]:
        found = self.pod(pod.uid)
        named = [c for c in (found.containers if found else ()) if c.name == container]
        wanted = [c for c in named if options.attempt in (None, c.attempt)]
        if not wanted:
            raise KeyError(container)
        return crilog.limited(printed(self._client, wanted[-1].id, options), options.limit_bytes)

    def connections(self, pod: PodRef) -> int:
        with translated(engine.UNAVAILABLE):
            try:
                shown = self._client.inspect_container(self._owner.sandbox_name(pod.uid))
            except docker.errors.APIError as exc:
                if is_gone(exc):
                    return 0
                raise
        pid = shown["State"]["Pid"]
        return tcp.count(tcp.tables(pid), shown["Config"]["Labels"][labels.ADDRESS]) if pid else 0

    def usage(self) -> Usage:
        return self._meter.measured()

    # --- deaths

    def events(self) -> Iterator[str]:
        # From where it was last heard, so that nothing is missed between two calls.
        try:
            stream = self._client.events(
                since=self._heard_until,
                filters={"type": "container", "event": "die", **self._owner.filter()},
                decode=True,
            )
        except (docker.errors.DockerException, OSError):
            return
        with self._lock:
            self._stream = stream
        try:
            if self._closed:
                return
            for event in stream:
                self._heard_until = event["timeNano"] / 1e9
                self._seen.died(event["Actor"]["ID"])
                yield event["Actor"]["Attributes"][labels.POD_UID]
        except (docker.errors.DockerException, OSError, ValueError):
            # The engine is gone, or `close` cut the line.
            return
        finally:
            stream.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()  # type: ignore[attr-defined]
        self._client.close()

    # --- within

    def _files(self, uid: str) -> Path:
        return self._folder / "pods" / os.path.basename(uid)


def _lacks_sandbox(message: str) -> bool:
    """Whether the engine means that the container whose network is to be joined is not there."""
    return "cannot join network of a non running container" in message or (
        "No such container" in message and "beanpole_" in message
    )
