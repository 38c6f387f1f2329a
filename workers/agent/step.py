"""The actions that decisions are made of."""

from __future__ import annotations

from dataclasses import dataclass


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
class Stop:
    """Stop containers side by side: preStop hook, SIGTERM, and SIGKILL `grace` seconds after the start."""

    targets: tuple[Target, ...]
    grace: float


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """Remove a dead container and its log."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class RemovePod:
    """Remove all that is left of the pod."""


Action = StartSandbox | StartContainer | Stop | RemoveContainer | RemovePod


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
