"""Thresholds of what a machine may run short of, as kubelet's flags --eviction-hard and --eviction-soft say them. Pure.

https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-thresholds
"""

from __future__ import annotations

from dataclasses import dataclass

from app.base.errors import UserError
from app.objects import quantity

MEMORY = "memory.available"
NODE_DISK = "nodefs.available"
NODE_INODES = "nodefs.inodesFree"
IMAGE_DISK = "imagefs.available"
PIDS = "pid.available"
# In the order in which kubelet sees to them, each with the condition of the node that it makes True.
CONDITIONS = {
    MEMORY: "MemoryPressure",
    NODE_DISK: "DiskPressure",
    IMAGE_DISK: "DiskPressure",
    NODE_INODES: "DiskPressure",
    PIDS: "PIDPressure",
}
# What users are told that the node was short of.
RESOURCES = {
    MEMORY: "memory",
    NODE_DISK: "ephemeral-storage",
    IMAGE_DISK: "ephemeral-storage",
    NODE_INODES: "inodes",
    PIDS: "pids",
}


@dataclass(frozen=True, slots=True)
class Level:
    """How much of something is left, and how much there is of it altogether."""

    available: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Less than `amount`, or than this `part` of the whole, is too little, at once or for `patience` seconds."""

    signal: str
    amount: int = 0
    part: float = 0.0
    patience: float = 0.0
    soft: bool = False

    def least(self, level: Level) -> int:
        """How much there should be left."""
        return int(level.capacity * self.part) if self.part else self.amount

    def is_met(self, level: Level) -> bool:
        """Whether too little is left. What nobody could measure has no capacity, and is never short."""
        return level.capacity > 0 and level.available < self.least(level)


def parse(hard: str, soft: str = "") -> tuple[Threshold, ...]:
    """The thresholds of both settings, in the order in which they are seen to.

    Raises:
        UserError: one of them is none.
    """
    found = [_threshold(text, "BEANPOLE_EVICTION_HARD", soft=False) for text in _parts(hard)]
    found += [_threshold(text, "BEANPOLE_EVICTION_SOFT", soft=True) for text in _parts(soft)]
    order = list(CONDITIONS)
    return tuple(sorted(found, key=lambda each: (order.index(each.signal), each.soft)))


def kept_back(thresholds: tuple[Threshold, ...], signal: str, capacity: int) -> int:
    """What pods are not given of `capacity` because they would be evicted before they had it."""
    level = Level(capacity, capacity)
    return max((t.least(level) for t in thresholds if t.signal == signal and not t.soft), default=0)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _threshold(text: str, setting: str, *, soft: bool) -> Threshold:
    wrong = UserError(
        f"{setting}: {text!r} is no threshold; write it like memory.available<100Mi or nodefs.available<10%"
        + (", with its patience in seconds: memory.available<500Mi:90" if soft else "")
    )
    signal, found, rest = text.partition("<")
    value, colon, patience = rest.partition(":")
    if not found or signal not in CONDITIONS or bool(colon) != soft:
        raise wrong
    try:
        seconds = float(patience.removesuffix("s")) if soft else 0.0
        if not 0 <= seconds < float("inf"):
            raise wrong
        if value.endswith("%"):
            part = float(value[:-1]) / 100
            if not 0 < part < 1:
                raise wrong
            return Threshold(signal, part=part, patience=seconds, soft=soft)
        amount = quantity.value(value)
    except ValueError as exc:
        raise wrong from exc
    if amount < 0:
        raise wrong
    return Threshold(signal, amount=amount, patience=seconds, soft=soft)
