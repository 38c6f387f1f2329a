"""What all pods of a node share: its runtime, network, addresses, objects, and a way to tell users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.change import Object
from app.objects.persistent import claims_of
from workers.agent.account_tokens import AccountTokens
from workers.agent.addresses import Addresses
from workers.agent.claims import Claims
from workers.agent.line import Channel
from workers.agent.notes import Notes
from workers.agent.sources import Sources
from workers.agent.volume_folders import VolumeFolders
from workers.agent.volumes import Volumes
from workers.runtime.protocol import AnswersProbes, HasVolumes, NodeInfo, Runtime


class AgentApi(Protocol):
    """The API, as an agent needs it. Raises whatever keeps the API from answering."""

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]: ...

    def request_token(self, namespace: str, account: str, request: Object) -> Object:
        """A TokenRequest, answered."""
        ...

    def post_stream(self, stream: str, chunks: Iterable[bytes]) -> None: ...

    def open_channel(self, stream: str) -> Channel:
        """Connect for a session that was asked for."""
        ...


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

    def hosts(self, pod: Object, address: str) -> str: ...

    def resolv_conf(self, pod: Object) -> str: ...

    def problems(self) -> Mapping[str, str]: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Surroundings:
    """See the module. `objects` holds what `Sources` draws on; `info` what the machine has, once known."""

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
    objects: dict[str, Object | None] = field(default_factory=dict)
    services: dict[str, Object] = field(default_factory=dict)
    slices: dict[str, Object] = field(default_factory=dict)

    def sources(self, pod: Object, address: str) -> Sources:
        allocatable = (self.info.cpu_millis, self.info.memory_bytes) if self.info else (0, 0)
        # Whose containers are entries in a dict has nobody who would read a token.
        real = self.tokens is not None and not isinstance(self.runtime, AnswersProbes)
        return Sources(
            pod,
            self.objects,
            address,
            self.node_ip,
            allocatable,
            tuple(self.services.values()),
            self.tokens.get if real and self.tokens else None,
        )

    @property
    def volume_folders(self) -> VolumeFolders:
        """The folders of this node's own persistent volumes."""
        return VolumeFolders(self.settings.state_dir.absolute() / "volumes" / self.node)

    @property
    def volume_prefix(self) -> str:
        """What the names of the engine's volumes of this cluster begin with."""
        return f"beanpole_{self.settings.cluster}"

    @property
    def claims(self) -> Claims:
        """What finds the places of claims."""
        engine = isinstance(self.runtime, HasVolumes)
        return Claims(self.objects, self.volume_folders, self.node, engine, self.volume_prefix)

    def volumes(self, pod: Object) -> Volumes:
        """The pod's volumes."""
        return Volumes(self.folder(pod["metadata"]["uid"]), pod, self.claims if claims_of(pod) else None)

    def folder(self, uid: str) -> Path:
        """The pod's own folder on this machine, which other nodes' agents may share."""
        return self.settings.state_dir / "pods" / self.node / uid

    def folders(self) -> Iterator[str]:
        """The uids of pods that have a folder."""
        root = self.settings.state_dir / "pods" / self.node
        if root.is_dir():
            yield from (entry.name for entry in root.iterdir())
