"""Which pod goes when the machine is short of something, and what its users are told. Pure; the rules are kubelet's.

https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#pod-selection-for-kubelet-eviction
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.objects import pod_resources, quantity
from app.objects.change import Object
from workers.agent.pod import is_critical
from workers.agent.pressure.thresholds import CONDITIONS, MEMORY, PIDS, RESOURCES, Level, Threshold

EVICTED = "Evicted"
# Of which containers ask for some, in bytes.
_ASKED_FOR = ("memory", "ephemeral-storage")


@dataclass(slots=True)
class Pressure:
    """What is remembered from one look at the machine to the next, times in seconds since the epoch.

    Attributes:
        since: from when on each threshold has been met without a break. last: when each condition last had a reason.
    """

    since: dict[Threshold, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shortage:
    """What a look found: the node's `conditions` that are True, and the thresholds on which to act, first things
    first."""

    conditions: frozenset[str]
    due: tuple[Threshold, ...]


def look(
    thresholds: Sequence[Threshold],
    levels: Mapping[str, Level],
    pressure: Pressure,
    now: float,
    transition: float,
) -> Shortage:
    """What the machine is short of.

    A condition stays True for `transition` seconds after its last reason, so that it does not flap. `pressure` is
    brought up to date.
    """
    met = [t for t in thresholds if t.signal in levels and t.is_met(levels[t.signal])]
    pressure.since = {t: pressure.since.get(t, now) for t in met}
    for threshold in met:
        pressure.last[CONDITIONS[threshold.signal]] = now
    pressure.last = {c: at for c, at in pressure.last.items() if at <= now < at + max(transition, 1e-9)}
    due = tuple(t for t in met if now - pressure.since[t] >= t.patience)
    return Shortage(frozenset(pressure.last), due)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pod that may have to go.

    Attributes:
        used: how much of each resource (`memory`, `ephemeral-storage`, `pids`) it uses; None: nobody knows.
        containers: how much of each each of its containers uses.
    """

    pod: Object
    used: Mapping[str, int] | None = None
    containers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def rank(signal: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that may go at all, the first to go first.

    First come pods that use more than they asked for, then those of lower priority, then those that use more beyond
    what they asked for. So Guaranteed pods, which can't use more memory than they asked for, come after those that
    asked for less or nothing. Of process ids nobody asks for any: priority decides, then how many a pod has.
    A pod of which nothing is known counts as one that uses too much. Critical pods stay.
    """
    resource = RESOURCES[signal]

    def order(each: Candidate) -> tuple[bool, int, bool, int, str]:
        used = None if each.used is None else each.used.get(resource)
        asked = _asked(each.pod, resource)
        over = signal != PIDS and (used is None or used > asked)
        beyond = 0 if used is None else used - asked
        return (not over, _priority(each.pod), used is not None, -beyond, each.pod["metadata"]["name"])

    return sorted((c for c in candidates if not is_critical(c.pod)), key=order)


def message(threshold: Threshold, level: Level, candidate: Candidate) -> str:
    """Why the pod goes, as kubelet says it."""
    resource = RESOURCES[threshold.signal]
    least, left = _shown(threshold.signal, threshold.least(level)), _shown(threshold.signal, level.available)
    text = f"The node was low on resource: {resource}. Threshold quantity: {least}, available: {left}. "
    for container in candidate.pod["spec"].get("containers") or ():
        used = (candidate.containers.get(container["name"]) or {}).get(resource)
        requests = (container.get("resources") or {}).get("requests") or {}
        asked = quantity.value(requests.get(resource, 0))
        if used is not None and used > asked and resource in _ASKED_FOR:
            text += (
                f"Container {container['name']} was using {quantity.of_bytes(used)}, request is "
                f"{quantity.of_bytes(asked) if asked else '0'}, has larger consumption of {resource}. "
            )
    return text


def attempt(threshold: Threshold) -> str:
    """What the Event EvictionThresholdMet of the node says."""
    return f"Attempting to reclaim {RESOURCES[threshold.signal]}"


def volume_too_large(name: str, limit: str) -> str:
    """Why a pod goes of which an emptyDir holds more than its sizeLimit."""
    return f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '


def container_too_large(name: str, limit: str) -> str:
    """Why a pod goes of which a container uses more ephemeral storage than its limit."""
    return f'Container {name} exceeded its local ephemeral storage limit "{limit}". '


def pod_too_large(limit: str) -> str:
    """Why a pod goes that uses more ephemeral storage than its containers may together."""
    return f"Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "


def _asked(pod: Object, resource: str) -> int:
    if resource not in _ASKED_FOR:
        return 0
    return pod_resources.amounts(pod["spec"], "requests").get(resource, 0) // quantity.NANO


def _priority(pod: Object) -> int:
    return int(pod["spec"].get("priority") or 0)


def _shown(signal: str, amount: int) -> str:
    return quantity.of_bytes(amount) if signal == MEMORY or signal.endswith("fs.available") else str(amount)
