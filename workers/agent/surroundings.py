"""What all pods of a node share: its runtime, network, addresses, objects, and a way to tell users."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects import quantity
from app.objects.change import Object
from app.objects.persistent import claims_of
from workers.agent.addresses import Addresses
from workers.agent.configuring.account_tokens import AccountTokens
from workers.agent.configuring.resources import oom_score_adj
from workers.agent.configuring.sources import Sources
from workers.agent.exchange.notes import Notes
from workers.agent.node.allocatable import allocatable
from workers.agent.node.report import Registered, capacity_of
from workers.agent.resizing.devices import Gpus, NoDevice
from workers.agent.volumes import volumes
from workers.agent.volumes.claims import Claims
from workers.agent.volumes.folders import VolumeFolders
from workers.agent.volumes.volumes import Means, Volumes
from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts
from workers.runtime.log_limits import LogLimits, limits_of
from workers.runtime.protocol import AnswersProbes, ContainerError, HasVolumes, NodeInfo, Runtime
from workers.runtime.resources import Resources

if TYPE_CHECKING:
    from workers.agent.deciding.step import StartContainer
    from workers.agent.images.keeper import ImageKeeper
    from workers.agent.record import Record

log = logging.getLogger("beanpole.agent")


class Network(Protocol):
    """The node's network: services, names (`workers.network.node.NodeNetwork`)."""

    @property
    def revision(self) -> int:
        """The revision of the service rules in force."""
        ...

    def start(self, gateway: str) -> None: ...

    def update(
        self, services: Collection[Object], endpointslices: Collection[Object], revision: int
    ) -> bool: ...

    def reach(self, peers: Mapping[str, tuple[str, str]], own_address: str) -> None: ...

    def keep(self) -> None: ...

    def hosts(self, pod: Object, address: str) -> str: ...

    def hosts_mark(self, pod: Object) -> int: ...

    def resolv_conf(self, pod: Object) -> str: ...

    def expose(
        self, pod: Object, address: str, node_ip: str, ports: tuple[tuple[str, str, int, int], ...]
    ) -> None: ...

    def problems(self) -> Mapping[str, str]: ...

    def close(self) -> None: ...


class Images(Protocol):
    """The images of the node's containers (`images.images`)."""

    def have(self, record: Record, container: Object, action: StartContainer) -> None:
        """Return once the container may start, as far as its image goes. Raises what `ImageSupply.have` does."""
        ...

    def abandon(self, uid: str) -> None:
        """The pod starts nothing any more."""
        ...


@dataclass(slots=True)
class Surroundings:
    """See the module.

    Attributes:
        objects: what `Sources` draws on. info: what the machine has, once known. registered: what whoever runs the agent
            says of the node. leaving: the machine is shutting down. simulated: its containers are entries in a dict.
    """

    node: str
    runtime: Runtime
    network: Network
    clock: Clock
    ids: Ids
    settings: Settings
    notes: Notes
    node_ip: str = ""
    addresses: Addresses | None = None
    info: NodeInfo | None = None
    tokens: AccountTokens | None = None
    images: Images | None = None
    image_keeper: ImageKeeper | None = None
    objects: dict[str, Object | None] = field(default_factory=dict)
    services: dict[str, Object] = field(default_factory=dict)
    slices: dict[str, Object] = field(default_factory=dict)
    peers: dict[str, tuple[str, str]] = field(default_factory=dict)
    registered: Registered = field(default_factory=Registered)
    leaving: bool = False
    gpus: Gpus = field(default_factory=Gpus)
    simulated: bool = field(init=False)
    _allocatable: tuple[NodeInfo, Registered, dict[str, str]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.simulated = isinstance(self.runtime, AnswersProbes)

    def resources(self, pod: Object, container: Object) -> Resources:
        """What a container may use besides cpu and memory. Raises ContainerError: it can't be had."""
        info, limit = self.info, self.settings.pod_pids
        try:
            gpus = self.gpus.take(pod, container, info.gpus if info else ())
        except NoDevice as exc:
            raise ContainerError("UnexpectedAdmissionError", f"{container['name']}: {exc}") from exc
        score = oom_score_adj(pod, container, info.memory_bytes if info else 0)
        return Resources(max(0, limit), score, gpus)

    def sources(self, pod: Object, address: str) -> Sources:
        return Sources(
            pod,
            self.objects,
            address,
            self.node_ip,
            self.allocatable,
            tuple(self.services.values()),
            self.tokens.get if self.tokens and not self.simulated else None,
        )

    @property
    def volume_folders(self) -> VolumeFolders:
        """The folders of this node's own persistent volumes."""
        return VolumeFolders(self.settings.state_dir.absolute() / "volumes" / self.node)

    @property
    def log_limits(self) -> LogLimits:
        """How much of each container's log is kept."""
        return limits_of(self.settings.log_max_size, self.settings.log_max_files)

    @property
    def profiles(self) -> Path:
        """The folder of this node's seccomp profiles."""
        asked = self.settings.seccomp_profiles
        return Path(asked) if asked else self.settings.state_dir / "seccomp"

    @property
    def volume_prefix(self) -> str:
        """What the names of the engine's volumes of this cluster begin with."""
        return f"beanpole_{self.settings.cluster}"

    @property
    def allocatable(self) -> dict[str, str]:
        """What the node has for its pods, as in its status; empty while that is not known."""
        info, registered, known = self.info, self.registered, self._allocatable
        if info is None:
            return {}
        # Asked for by every container.
        if known is None or known[0] is not info or known[1] is not registered:
            left = allocatable(capacity_of(info), registered.reserved, registered.thresholds)
            known = self._allocatable = (info, registered, left)
        return known[2]

    @property
    def mounts(self) -> HostMounts | None:
        """What makes mounts on the machine; None where containers would see nothing of them."""
        if self.simulated:
            return None
        return HostMounts(engine=Feature.ENGINE_VOLUMES in self.runtime.features)

    @property
    def means(self) -> Means:
        """What the node has for volumes."""
        mounts = self.mounts
        if mounts is None:
            return Means()
        memory = quantity.value(self.allocatable.get("memory", 0))
        return Means(self.runtime.features, memory, mounts, self.volume_prefix)

    @property
    def claims(self) -> Claims:
        """What finds the places of claims."""
        engine = isinstance(self.runtime, HasVolumes)
        return Claims(self.objects, self.volume_folders, self.node, engine, self.volume_prefix)

    def volumes(self, pod: Object) -> Volumes:
        """The pod's volumes."""
        claims = self.claims if claims_of(pod) else None
        return Volumes(self.folder(pod["metadata"]["uid"]), pod, claims, self.means)

    def folder(self, uid: str) -> Path:
        """The pod's own folder on this machine, which other nodes' agents may share."""
        return self.settings.state_dir / "pods" / self.node / uid

    def remove_folder(self, uid: str) -> None:
        """Remove it, with what is mounted in it."""
        try:
            volumes.remove(self.folder(uid), self.mounts)
        except OSError as exc:
            # The next agent of the node tries again.
            log.warning("%s: the folder of pod %s could not be removed: %s", self.node, uid, exc)

    def folders(self) -> Iterator[str]:
        """The uids of pods that have a folder."""
        root = self.settings.state_dir / "pods" / self.node
        if root.is_dir():
            yield from (entry.name for entry in root.iterdir())
