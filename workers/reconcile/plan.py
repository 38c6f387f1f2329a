"""What a decision looks like: `plan(view, key, now) -> Plan`, and the role that makes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.objects.change import Interest, Object, ReadView, Write


@dataclass(frozen=True, slots=True)
class EventNote:
    """Something a user would look for, to be written as a v1 Event. Notes alike in everything are
    counted on one Event (`count`, `lastTimestamp`)."""

    regarding: Object
    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision: what to write, what to tell, when to look again.

    Attributes:
        writes: committed in this order in one pipeline; each stands on its own precondition.
            A rejected one makes the shell catch up and plan again.
        requeue_after: seconds after which the key is looked at again even if nothing changes.
        reason: one line for the log and the trace: why this is what should happen.
    """

    writes: tuple[Write, ...] = ()
    events: tuple[EventNote, ...] = ()
    requeue_after: float | None = None
    reason: str = ""


NOTHING = Plan()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write of a plan that admission refused, and in which words."""

    write: Write
    message: str


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of work: its name (also the `source.component` of its Events and the actor of its
    commits), its decision, what concerns it, and all keys there are, for resync.

    `refused` says what to write where admission refused a part of a plan: for who tells of it in a status. A plan can't
    know, for it is decided before. It sees the view after the rest of the plan was committed.
    `measures`: its plans see what pods use, too (see `measured`).
    """

    name: str
    plan: Callable[[ReadView, str, float], Plan]
    interests: tuple[Interest, ...]
    keys: Callable[[ReadView], list[str]]
    refused: Callable[[ReadView, str, Sequence[Refusal], float], Sequence[Write]] | None = None
    measures: bool = False
