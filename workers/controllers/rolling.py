"""The arithmetic of a rolling update: how large each ReplicaSet may be next.

Two promises hold in every state, also when a step was interrupted half way: with pods that don't
fail, never fewer than `replicas - maxUnavailable` are available; never more than
`replicas + maxSurge` exist that are not already terminating.

Why they hold. What a ReplicaSet has lags behind what it should have, so each side is counted at its
worst: for the surge a set counts as the larger of the two (a set scaled down may not have deleted
yet), for availability as the smaller of what it should have and what is available (the surplus is
about to go). Growing the new set and shrinking old ones are each safe alone, so any part of a step
may be lost.

Rules: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
and k8s.io/kubernetes/pkg/controller/deployment/rolling.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.objects.change import Object


@dataclass(frozen=True, slots=True)
class Limits:
    """How many pods a Deployment wants, how many more there may be, how many may be missing."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        return self.replicas + self.surge

    @property
    def least(self) -> int:
        return self.replicas - self.unavailable


@dataclass(frozen=True, slots=True)
class Group:
    """A ReplicaSet as the arithmetic sees it: its name, the pods it should have (`wanted`), has
    (`present`) and has available."""

    name: str
    wanted: int = 0
    present: int = 0
    available: int = 0

    @property
    def at_most(self) -> int:
        return max(self.wanted, self.present)

    @property
    def surely_available(self) -> int:
        return min(self.wanted, self.available)


def limits(deployment: Object) -> Limits:
    """maxSurge is rounded up, maxUnavailable down; if both come to 0 one pod may be unavailable, or
    nothing could ever move. For Recreate both are 0."""
    spec = deployment["spec"]
    replicas = int(spec["replicas"])
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(replicas, 0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(replicas, surge, min(unavailable, replicas))


def share(value: int | str, replicas: int, *, up: bool) -> int:
    """A number of pods that may be given as a share of `replicas`, rounded up or down."""
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%")) * replicas
    return -(-percent // 100) if up else percent // 100


def step(limit: Limits, new: Group, old: Sequence[Group]) -> dict[str, int]:
    """The sizes to set now, by name; empty if nothing may or need change. `old` is ordered oldest
    first."""
    sizes: dict[str, int] = {}
    grown = grow(limit, new, old)
    if grown != new.wanted:
        sizes[new.name] = grown
    if grown >= new.wanted:
        sizes.update(shrink(limit, new, old))
    return sizes


def grow(limit: Limits, new: Group, old: Sequence[Group]) -> int:
    """The size of the new ReplicaSet: as many more as the surge leaves room for, or fewer at once if
    it is too large."""
    if new.wanted >= limit.replicas:
        return limit.replicas
    room = limit.most - new.at_most - sum(group.at_most for group in old)
    return new.wanted + max(0, min(room, limit.replicas - new.wanted))


def shrink(limit: Limits, new: Group, old: Sequence[Group]) -> dict[str, int]:
    """The sizes of old ReplicaSets: first those pods go that are not available anyway, then as many
    available ones as the minimum allows."""
    sizes = {group.name: group.wanted for group in old}
    unavailable_new = new.wanted - new.surely_available
    spare = new.wanted + sum(sizes.values()) - limit.least - unavailable_new
    for group in old:
        useless = min(group.wanted - group.surely_available, max(spare, 0))
        sizes[group.name] -= useless
        spare -= useless
    available = new.surely_available + sum(min(sizes[g.name], g.available) for g in old)
    spare = min(spare, available - limit.least)
    for group in old:
        less = min(sizes[group.name], max(spare, 0))
        sizes[group.name] -= less
        spare -= less
    return {group.name: sizes[group.name] for group in old if sizes[group.name] != group.wanted}
