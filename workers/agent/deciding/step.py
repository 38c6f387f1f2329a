"""The actions that decisions are made of."""

from __future__ import annotations

from dataclasses import dataclass

from workers.runtime.resources import Limits


@dataclass(frozen=True, slots=True)
class StartSandbox:
    """Make the pod's sandbox, or make it again."""


@dataclass(frozen=True, slots=True)
class StartContainer:
    """Start attempt `attempt` of a container."""

    name: str
    attempt: int
    init: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A container to be stopped, and why, as its Event says."""

    name: str
    id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class PostStart:
    """Run the postStart hook of a container that has just started, beside everything else."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class PreStop:
    """Begin the end of containers with their preStop hooks, beside everything else. Of hooks that run already only the
    time left is less.

    Attributes:
        period: the whole grace period, in seconds, within which the hooks, too, have to be done.
        of_pod: it is the pod that ends.
    """

    targets: tuple[Target, ...]
    period: float
    of_pod: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop containers side by side: SIGTERM, and SIGKILL `grace` seconds later. `period`, `of_pod`: see `PreStop`."""

    targets: tuple[Target, ...]
    grace: float
    period: float
    of_pod: bool = False


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """Remove a dead container and its log."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class ResizeContainer:
    """Hold a running container to other limits. `shrinks`: it may hold more memory than it is to have."""

    name: str
    id: str
    limits: Limits
    shrinks: bool = False


@dataclass(frozen=True, slots=True)
class RemovePod:
    """Remove all that is left of the pod."""


Action = (
    StartSandbox | StartContainer | PostStart | PreStop | Stop | ResizeContainer | RemoveContainer | RemovePod
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Actions to carry out in order, and when to decide again if nothing happens before.

    `backing_off`: containers that wait in CrashLoopBackOff. `finished`: nothing of the pod is left.
    """

    actions: tuple[Action, ...] = ()
    wake_at: float | None = None
    backing_off: tuple[str, ...] = ()
    finished: bool = False


def soonest(one: float | None, other: float | None) -> float | None:
    """The earlier of two times, where None is never."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
