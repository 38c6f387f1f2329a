"""The order in which a StatefulSet's pods come, go and are replaced. Pure: from what there is to what to do next.

With OrderedReady, at most one thing happens at a time: pods are made from the first to the last, each once all before
it are available; they go from the last to the first, each once the one after it is gone and all that stay are
available. With Parallel nothing waits for anything, except that there is never a second pod of one name: a pod that
is terminating has to be gone first, however long that takes, for on a node that nobody hears of it may still run.

An update takes away pods of old revisions, the last first, and never so that more than maxUnavailable are missing:
each pod taken was available, and is counted; what is unavailable already is counted from the start.

In one thing this goes further than Kubernetes: see docs/decisions/0019-stuck-updates.md.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A pod, or the place of one that is missing.

    Attributes:
        number: its ordinal. revision: the name of the revision it was made of, "" for a missing one.
        exists: whether there is a pod. finished: Succeeded or Failed. terminating: marked for deletion.
        available: Running, Ready, and for long enough. started: whether its containers ever ran.
        blocked: it can't be made now, because what it needs is on its way out or its name is taken.
    """

    number: int
    revision: str = ""
    exists: bool = True
    finished: bool = False
    terminating: bool = False
    available: bool = False
    started: bool = True
    blocked: bool = False

    @property
    def up(self) -> bool:
        """Whether it does its work and will go on to."""
        return self.exists and self.available and not self.terminating and not self.finished


@dataclass(frozen=True, slots=True)
class Update:
    """An update that may take pods away: towards the revision `to`, away from `since` (the last that was complete).
    `partition` counts places from the first; `unavailable` is how many may be missing."""

    to: str
    since: str
    partition: int
    unavailable: int


@dataclass(frozen=True, slots=True)
class Steps:
    """The numbers of pods to make, and to delete."""

    make: tuple[int, ...] = ()
    delete: tuple[int, ...] = ()


def steps(
    wanted: Sequence[Member], surplus: Sequence[Member], update: Update | None, *, ordered: bool
) -> Steps:
    """What to do now.

    Args:
        wanted: a member for each number the set wants, in their order.
        surplus: pods of other numbers, in their order.
        update: None if pods are only updated when somebody deletes them.
    """
    if ordered:
        return _ordered(wanted, surplus, update)
    make = [member.number for member in wanted if not member.exists and not member.blocked]
    gone = [member.number for member in wanted if member.finished and not member.terminating]
    gone += [member.number for member in reversed(surplus) if not member.terminating]
    if update is not None:
        gone += _outdated(wanted, update, set(gone))
    return Steps(tuple(make), tuple(gone))


def _ordered(wanted: Sequence[Member], surplus: Sequence[Member], update: Update | None) -> Steps:
    for place, member in enumerate(wanted):
        if member.finished:
            return Steps() if member.terminating else Steps(delete=(member.number,))
        if not member.exists:
            return Steps() if member.blocked else Steps(make=(member.number,))
        if member.up:
            continue
        if update is not None and place >= update.partition and _is_stuck(member, update):
            return Steps(delete=(member.number,))
        return Steps()
    # Nobody makes a surplus pod anew, so waiting for one that ended would be for ever.
    ended = [member for member in surplus if member.finished]
    if ended:
        return Steps() if ended[-1].terminating else Steps(delete=(ended[-1].number,))
    down = next((member for member in surplus if not member.up), None)
    if surplus:
        last = surplus[-1]
        # One that isn't up itself may go if it is the first such, or the ones before it might be held up by it.
        if last.terminating or not (last.up or last is down):
            return Steps()
        return Steps(delete=(last.number,))
    return Steps() if update is None else Steps(delete=tuple(_outdated(wanted, update, set())))


def _is_stuck(member: Member, update: Update) -> bool:
    """Whether waiting for the pod would hold up the very update that replaces it: it is of an update that was given
    up, or has never run. Nothing it did is lost."""
    if member.terminating or member.revision == update.to:
        return False
    return member.revision != update.since or not member.started


def _outdated(wanted: Sequence[Member], update: Update, going: set[int]) -> list[int]:
    """The pods to take away for the update: those that are missing anyway, then the last as many as may be missing."""
    old = [
        member
        for place, member in enumerate(wanted)
        if place >= update.partition
        and member.exists
        and not member.terminating
        and not member.finished
        and member.revision != update.to
        and member.number not in going
    ]
    missing = sum(not member.up for member in wanted)
    spare = max(0, update.unavailable - missing)
    last_first = list(reversed(old))
    up = [member.number for member in last_first if member.up][:spare]
    return [member.number for member in last_first if not member.up or member.number in up]
