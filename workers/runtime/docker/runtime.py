"""The runtime on a Docker engine (or Podman's socket).

A pod is a sandbox, a container that only waits and holds the pod's address, and containers that join its network
and IPC. All of a node carries labels; the names are drawn from the labels, so doing a thing twice meets itself.
This module is the table of contents; the work is done by its neighbours.
"""

from __future__ import annotations

import math
import shutil
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import docker.errors

from app.base.clock import Clock
from workers.runtime import gpus, machine, tcp
from workers.runtime.docker import (
    dialing,
    disk,
    engine,
    execute,
    firewall,
    interactive,
    isolation,
    labels,
    links,
    mounting,
    network,
    pause,
)
from workers.runtime.docker.deaths import Deaths
from workers.runtime.docker.engine import is_conflict, is_gone, translated
from workers.runtime.docker.files import PodFiles
from workers.runtime.docker.images import Images
from workers.runtime.docker.labels import Owner
from workers.runtime.docker.limits import GPU_RUNTIME
from workers.runtime.docker.links import Links
from workers.runtime.docker.observed import Observed
from workers.runtime.docker.printed import printed
from workers.runtime.docker.removal import Removal
from workers.runtime.docker.resizing import Resizing
from workers.runtime.docker.starting import Starting
from workers.runtime.docker.sub_paths import SubPaths
from workers.runtime.docker.usage import Meter
from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts
from workers.runtime.interactive import Interactive
from workers.runtime.protocol import (
    ContainerSpec,
    ContainerState,
    LogOptions,
    NodeInfo,
    PodRef,
    PodState,
    SandboxSpec,
    Usage,
)
from workers.runtime.resources import Limits

_FEATURES = frozenset(
    (
        Feature.CPU_LIMIT,
        Feature.MEMORY_LIMIT,
        Feature.PIDS_LIMIT,
        Feature.RESIZE,
        Feature.EPHEMERAL_STORAGE,
        Feature.IMAGES,
        Feature.MOUNTS,
        Feature.ENGINE_VOLUMES,
        Feature.SHARED_MOUNTS,
        Feature.BLOCK_VOLUMES,
    )
)


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
        self._files = PodFiles(self._folder)
        self.images = Images(self._client)
        self._seen = Observed(self._client, self._owner, self.images)
        self._meter = Meter(self._client, self._owner)
        self._removal = Removal(self._client, self._owner, self._files, clock)
        host_mounts = HostMounts(engine=True)
        self._sub_paths = SubPaths(self._owner, host_mounts)
        self._sub_paths.sweep()
        self._links = Links()
        self._features = _FEATURES | mounting.features(self._client, host_mounts)
        with translated(engine.UNAVAILABLE):
            self._features |= isolation.features(self._client.info())
        self._starting = Starting(
            self._client,
            self._owner,
            self._files,
            self.images,
            self._seen,
            self._removal,
            self._sub_paths,
            self._links,
        )
        self._gpus = gpus.found()
        self._resizing = Resizing(self._client, self._seen.forget)
        self._deaths = Deaths(self._client, self._owner, self._seen, clock.now())

    # --- the node

    @property
    def features(self) -> frozenset[Feature]:
        return self._features

    def image_user(self, image: str) -> str:
        """See `KnowsImageUsers`."""
        with translated("InspectFailed"):
            return self.images.user(image)

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
            boot_id=mine.boot_id,
            gpus=self._gpus if GPU_RUNTIME in (said.get("Runtimes") or ()) else (),
        )

    def prepare(self, pod_cidr: str) -> str:
        with translated(engine.UNAVAILABLE):
            said = self._client.info()
        self._starting.image = pause.ensure(self._client, said["Architecture"])
        if not links.can_be_seen(said.get("DefaultRuntime") or ""):
            self._links.give_up()
        version = said["ServerVersion"]
        bridge = network.ensure(
            self._client, self._owner, pod_cidr, version, anew=self._links.has_lost_bridge
        )
        if not bridge.is_here and any(map(links.is_whole, self._seen.sandboxes())):
            # It was lost while no agent looked.
            bridge = network.ensure(self._client, self._owner, pod_cidr, version, anew=True)
        self._links.use(bridge)
        self._links.mend(self._seen.sandboxes())
        if self._cluster_cidr:
            firewall.join_nodes(self._owner.cluster, self._cluster_cidr)
        return str(bridge.gateway.ip)

    def has_network(self, pod_cidr: str) -> bool:
        return network.exists(self._client, self._owner, pod_cidr) and not self._links.has_lost_bridge

    # --- what there is

    def pods(self) -> list[PodState]:
        return self._seen.pods()

    def pod(self, uid: str) -> PodState | None:
        return next(iter(self._seen.pods(**{labels.POD_UID: uid})), None)

    def free_sandbox(self, pod: PodRef) -> None:
        self._removal.container(self._owner.sandbox_name(pod.uid))

    def sweep(self, uids: Collection[str]) -> None:
        self._files.sweep(uids)

    # --- starting

    def start_sandbox(self, spec: SandboxSpec) -> None:
        self._starting.start_sandbox(spec)

    def refresh(self, pod: PodRef, hosts: str) -> None:
        self._files.refresh(pod.uid, hosts)

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        return self._starting.start_container(pod, spec)

    def resize_container(self, pod: PodRef, container_id: str, limits: Limits) -> None:
        """See `Resizes`."""
        self._resizing.resize(container_id, limits)

    def memory_in_use(self, pod: PodRef, container_id: str) -> int:
        """See `Resizes`."""
        return self._resizing.memory_in_use(container_id)

    def disk_used(self, pod: PodRef) -> Mapping[str, int]:
        """See `TellsDisk`."""
        return disk.used(self._client, self._owner, pod)

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
        self._removal.container(container_id)

    def remove_pod(self, pod: PodRef) -> None:
        self._removal.pod(pod)

    def remove_volume(self, name: str) -> None:
        self._removal.volume(name)

    def remove_node(self) -> None:
        """Remove all that this node has on the engine: pods, network, and with the cluster's last node the rules."""
        for pod in self.pods():
            self.remove_pod(pod.pod)
        if network.remove(self._client, self._owner):
            firewall.part_nodes(self._owner.cluster)
        self._sub_paths.end()
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
        return printed(self._client, wanted[-1].id, options, self._clock)

    def connections(self, pod: PodRef) -> int:
        with translated(engine.UNAVAILABLE):
            try:
                shown = self._client.inspect_container(self._owner.sandbox_name(pod.uid))
            except docker.errors.APIError as exc:
                if is_gone(exc):
                    return 0
                raise
        pid = shown["State"]["Pid"]
        if shown["HostConfig"]["NetworkMode"] == "host":
            return 0  # in the machine's network nobody can tell which are the pod's
        return tcp.count(tcp.tables(pid), shown["Config"]["Labels"][labels.ADDRESS]) if pid else 0

    def usage(self) -> Usage:
        return self._meter.measured()

    # --- deaths

    def events(self) -> Iterator[str]:
        return self._deaths.events()

    def close(self) -> None:
        self._deaths.close()
        self._client.close()
