"""The Runtime protocol: what the agent needs of whatever runs containers.

A pod has one *sandbox*, which holds its address, and any number of containers in it, each known by
the container's name and its *attempt* (0 for the first start, then one more for each restart). Every
sandbox and container carries the pod's uid, namespace, name and the node's name, so that a restarted
agent finds what runs: the runtime is the only memory an agent has.

Calls block, and may be made from many threads, but never two at a time for one pod.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from app.base.errors import BeanpoleError
from workers.runtime.features import Feature
from workers.runtime.figures import ContainerUsage as ContainerUsage
from workers.runtime.figures import NodeInfo, Usage
from workers.runtime.interactive import Interactive
from workers.runtime.log_limits import KEPT, LogLimits
from workers.runtime.mounts import BlockDevice, Mount
from workers.runtime.resources import NO_RESOURCES, Limits, Resources, limits
from workers.runtime.security import NOTHING_SHARED, UNPRIVILEGED, HostPort, Security, Shared
from workers.runtime.users import User

# The reason of a ContainerError when the runtime does not answer.
UNAVAILABLE = "RuntimeUnavailable"


class ContainerError(BeanpoleError):
    """The runtime could not do what was asked. `reason` is the Kubernetes reason a user sees on the
    container or in the Event (`ErrImagePull`, `CreateContainerError`, `RunContainerError`, ...)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def away(self) -> bool:
        """Whether the runtime could not be spoken to at all, which says nothing of the container."""
        return self.reason == UNAVAILABLE


class Unsupported(ContainerError):
    """The pod asks for what this runtime can't give. The message names the field."""

    def __init__(self, message: str) -> None:
        super().__init__("UnsupportedByRuntime", message)


class State(StrEnum):
    """A container's state, as the runtime sees it."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """All a runtime needs to start one container.

    Attributes:
        command, args: Kubernetes's words: `command` replaces the image's entrypoint, `args` its
            command. Already expanded. None means the image's own.
        cpu_millis, memory_bytes: limits; cpu_request_millis: the share. 0 means none.
        resources: what else it may use.
        target: the id of a container of the pod whose processes it sees (`targetContainerName`).
        stop_signal: what tells it to end, such as SIGUSR1; empty: what its image says, or SIGTERM.
        security: its privileges. shared, handler: as in its pod's `SandboxSpec`.
        log: how much of its log is kept.
    """

    name: str
    attempt: int
    image: str
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    cpu_request_millis: int = 0
    cpu_millis: int = 0
    memory_bytes: int = 0
    mounts: tuple[Mount, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    run_as_user: int | None = None
    run_as_group: int | None = None
    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False
    read_only_root: bool = False
    privileged: bool = False
    target: str = ""
    stop_signal: str = ""
    security: Security = UNPRIVILEGED
    shared: Shared = NOTHING_SHARED
    handler: str = ""
    resources: Resources = NO_RESOURCES
    log: LogLimits = KEPT

    @property
    def limits(self) -> Limits:
        """What can be changed while it runs (`resizing.Resizes`)."""
        return limits(self.cpu_request_millis, self.cpu_millis, self.memory_bytes)


@dataclass(frozen=True, slots=True)
class PodRef:
    """Which pod: what every sandbox and container is labelled with."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """A pod's surroundings.

    Attributes:
        address: the pod's IP, chosen by the agent out of its node's range.
        hostname: what the containers see as their host's name.
        resolv_conf, hosts: contents of the pod's /etc/resolv.conf and /etc/hosts.
        annotations: the pod's own, by which a simulated runtime is told delays and failures.
        shared: what of the machine its containers share. sysctls: (name, value). host_ports: ports of the machine
            that lead here. handler: which of the engine's runtimes runs it; empty: its usual one.
    """

    pod: PodRef
    address: str
    hostname: str
    resolv_conf: str = ""
    hosts: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    shared: Shared = NOTHING_SHARED
    sysctls: tuple[tuple[str, str], ...] = ()
    host_ports: tuple[HostPort, ...] = ()
    handler: str = ""


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container as the runtime shows it. Times are seconds since the epoch; 0 means not yet. `limits`: what it is
    held to; None: the runtime doesn't say. `gpus`: the ids of those that are its own. `user`: whom its first process
    was started as; None: unknown."""

    name: str
    attempt: int
    state: State
    id: str
    image: str
    image_id: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    message: str = ""
    limits: Limits | None = None
    gpus: tuple[str, ...] = ()
    user: User | None = None


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod as the runtime shows it: the sandbox and its containers, newest attempt of each name
    last. `ready` says whether the sandbox itself is alive, `since` when it was made, to the second at least;
    what has ended before belonged to another one. 0: the runtime has but one for each pod."""

    pod: PodRef
    address: str
    ready: bool
    containers: tuple[ContainerState, ...] = ()
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which lines of a log: `attempt` None means the newest. Times are seconds since the epoch."""

    attempt: int | None = None
    follow: bool = False
    tail: int | None = None
    since: float | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


class Runtime(Protocol):
    """One machine's container runtime, on behalf of one node."""

    name: str

    @property
    def features(self) -> frozenset[Feature]:
        """What of it this one gives, on this machine."""
        ...

    def info(self) -> NodeInfo:
        """What the machine has. Raises ContainerError if the runtime can't be reached."""
        ...

    def prepare(self, pod_cidr: str) -> str:
        """Make the node ready for pods with addresses out of `pod_cidr` (a network, say). Done at
        start and again after the runtime was restarted; doing it twice does no harm. Returns the
        address at which pods reach this node's own services, such as DNS."""
        ...

    def pods(self) -> list[PodState]:
        """Everything on this node that carries its labels, running or not, whoever started it."""
        ...

    def pod(self, uid: str) -> PodState | None:
        """One pod as it is now; None if nothing of it is left."""
        ...

    def start_sandbox(self, spec: SandboxSpec) -> None:
        """Make the pod's sandbox, or make it again if it died. Does nothing if it is alive."""
        ...

    def refresh(self, pod: PodRef, hosts: str) -> None:
        """Give the pod's /etc/hosts new contents, which its running containers see at once (but for those that
        have a file of their own mounted there). Nothing if there is no such pod. Raises ContainerError."""
        ...

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        """Create and start a container in the pod's sandbox. Finding that very attempt already there,
        it starts it if it never ran, and hands back what it is. Of earlier attempts only the newest is
        kept, for its log. If it can't be started, nothing of this attempt is left behind."""
        ...

    def stop_container(self, pod: PodRef, container_id: str, grace: float) -> None:
        """SIGTERM, then SIGKILL once `grace` seconds have passed; returns when it is dead."""
        ...

    def remove_container(self, pod: PodRef, container_id: str) -> None:
        """Remove a dead container and its log. Already gone is no error."""
        ...

    def remove_pod(self, pod: PodRef) -> None:
        """Kill and remove all that is left of the pod: containers, sandbox, files."""
        ...

    def exec(
        self, pod: PodRef, container_id: str, command: Sequence[str], timeout: float
    ) -> tuple[int, bytes]:
        """Run a command inside; exit code and the first 10 KiB of what it printed. Raises TimeoutError."""
        ...

    def command(
        self, pod: PodRef, container_id: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> Interactive:
        """Run a command inside for somebody who talks to it: with input if `stdin`, on a terminal if `tty`. A program
        that there is not may show as an exit code and a line of output. Raises ContainerError: the container does not
        run."""
        ...

    def attach(self, pod: PodRef, container_id: str, *, stdin: bool, tty: bool) -> Interactive:
        """A line to a container's own process; `stdin` if the user has something to say, `tty` if the container has a
        terminal. What it printed before is in its log. Raises ContainerError: the container does not run."""
        ...

    def connect(self, pod: PodRef, port: int, timeout: float) -> socket.socket:
        """A connection to a TCP port of the pod, made within `timeout` seconds. Raises OSError: nothing answers there.
        ContainerError: the pod does not run."""
        ...

    def logs(self, pod: PodRef, container: str, options: LogOptions) -> Iterator[bytes]:
        """Chunks of a container's log, stdout and stderr together in order. With `follow`, ends when the
        container does; while nothing comes, empty chunks may. Raises KeyError if there is no such container or attempt."""
        ...

    def connections(self, pod: PodRef) -> int:
        """How many TCP connections from outside the pod are open to ports it listens on."""
        ...

    def usage(self) -> Usage:
        """What the machine and the node's running containers use. Of one that just ended or starts, and of one that
        the runtime can't measure, nothing is said. Raises ContainerError if the runtime can't be reached."""
        ...

    def events(self) -> Iterator[str]:
        """The uids of pods of which a container just died, as it happens; blocks between them. Ends when
        `close` is called or the runtime is gone (the agent then starts over)."""
        ...

    def close(self) -> None:
        """Let go of connections and threads; containers stay."""
        ...


@runtime_checkable
class AnswersProbes(Protocol):
    """What a runtime without sockets has besides: it answers probes itself.

    An agent whose runtime is one (`isinstance(runtime, AnswersProbes)`) asks `probe` in place of every
    http, tcp, grpc and exec probe.
    """

    def probe(self, pod: PodRef, container: str) -> bool:
        """Whether a startup, readiness or liveness probe of that container would succeed now."""
        ...


@runtime_checkable
class TellsDeaths(Protocol):
    """What a runtime that needs no thread to listen has besides: it says when asked what `events` would say."""

    def died(self) -> list[str]:
        """The uids of pods of which a container died since this was last asked. Never blocks."""
        ...


@runtime_checkable
class HasVolumes(Protocol):
    """What a runtime has besides whose engine mounts volumes itself (`Mount.volume`)."""

    def remove_volume(self, name: str) -> None:
        """Remove a volume and its data. Already gone is no error. Raises ContainerError, also while it is used."""
        ...


@runtime_checkable
class KnowsImageUsers(Protocol):
    """What a runtime has besides whose images say whom they run as."""

    def image_user(self, image: str) -> str:
        """Whom an image that is here runs as: a number or a name, perhaps with a group after a colon; empty is root.
        Raises ContainerError."""
        ...
