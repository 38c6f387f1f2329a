"""Which pods of a DaemonSet to make and to delete. Pure: from what is on each node to what to do next.

First each node by itself: one pod where there should be one, none where there should be none. A pod that is
terminating counts as there until it is gone, for it may still hold what its successor needs, such as a port.

Then the update. Without surge a node's old pod is deleted, and the node gets its new one once it is gone: an old pod
that is unavailable at once, others as long as at most `unavailable` nodes are without an available pod. With surge
the new pod comes first: where the old one is unavailable at once, elsewhere on at most `surge` nodes at a time; the
old one goes when the new one is available.

Rules: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/ and
k8s.io/kubernetes/pkg/controller/daemon/update.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.controllers.daemon.nodes import Fit


@dataclass(frozen=True, slots=True)
class Daemon:
    """A pod: whether it is of the newest revision, available, marked for deletion, and Succeeded or Failed. One that
    is finished and `resting` is not replaced yet, or what fails at once would be made anew without end."""

    name: str
    new: bool = True
    available: bool = False
    terminating: bool = False
    finished: bool = False
    resting: bool = False

    @property
    def alive(self) -> bool:
        return not self.terminating and not self.finished


@dataclass(frozen=True, slots=True)
class Place:
    """A node, whether it should have a pod, and the pods it has, the oldest first."""

    node: str
    fit: Fit
    pods: tuple[Daemon, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """On how many nodes an update may have two pods, or leave no available one. One of the two is 0."""

    surge: int
    unavailable: int


@dataclass(frozen=True, slots=True)
class Steps:
    """The nodes to make a pod for, and the names of pods to delete."""

    make: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


def steps(places: Sequence[Place], limits: Limits | None) -> Steps:
    """What to do now. `limits` is None if pods are updated only when somebody deletes them."""
    make: list[str] = []
    delete: list[str] = []
    surging = limits is not None and limits.surge > 0
    for place in places:
        if not place.fit.keeps:
            delete += [pod.name for pod in place.pods if not pod.terminating]
            continue
        if place.fit.gets and not place.pods:
            make.append(place.node)
        delete += [p.name for p in place.pods if p.finished and not p.terminating and not p.resting]
        delete += _surplus(place, surging)
    if limits is None:
        return Steps(tuple(make), tuple(delete))
    staying = [place for place in places if place.fit.keeps]
    if surging:
        make += _surged(staying, limits.surge)
    else:
        delete += _replaced(staying, limits.unavailable, set(delete))
    return Steps(tuple(make), tuple(delete))


def _alive(place: Place, *, new: bool | None = None) -> list[Daemon]:
    """The new, the old or all pods of a node that live on: available ones first, then the oldest."""
    found = [pod for pod in place.pods if pod.alive and new in (None, pod.new)]
    return sorted(found, key=lambda pod: not pod.available)


def _surplus(place: Place, surging: bool) -> list[str]:
    """Pods of which a node has too many."""
    if not surging:
        return [pod.name for pod in _alive(place)[1:]]
    new, old = _alive(place, new=True), _alive(place, new=False)
    gone = [*new[1:], *old[1:]]
    if new and old and (new[0].available or not old[0].available):
        gone.append(old[0])
    return [pod.name for pod in gone]


def _replaced(places: Sequence[Place], unavailable: int, going: set[str]) -> list[str]:
    """The old pods that go, so that their nodes get new ones."""
    missing = 0
    at_once: list[str] = []
    candidates: list[str] = []
    for place in places:
        pod = next((pod for pod in place.pods if pod.alive and pod.name not in going), None)
        if pod is None:
            missing += place.fit.gets or bool(place.pods)
        elif not pod.available:
            missing += 1
            if not pod.new:
                at_once.append(pod.name)
        elif not pod.new:
            candidates.append(pod.name)
    return at_once + candidates[: max(0, unavailable - missing)]


def _surged(places: Sequence[Place], surge: int) -> list[str]:
    """The nodes that get their new pod beside the old one. A node counts until one of its pods is on its way out: that
    it is to be deleted in this very step does not mean that it will be."""
    under_way = 0
    at_once: list[str] = []
    candidates: list[str] = []
    for place in places:
        new, old = _alive(place, new=True), _alive(place, new=False)
        if len(new) + len(old) > 1:
            under_way += 1
        elif old and place.fit.gets:
            (candidates if old[0].available else at_once).append(place.node)
    return at_once + candidates[: max(0, surge - under_way)]
