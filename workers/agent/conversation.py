"""What an agent has been told by the API, folded together: the other half of `app.registry.exchange`.

Every answer holds what changed since the revision that the request named, or everything (`full`). Folding is
all that happens here; what follows from it is the agent's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.objects.change import Object, key_of
from workers.agent.record import Record, disown, same_orders


@dataclass(slots=True)
class Told:
    """What an answer changed.

    Attributes:
        pods: uids of pods that are new, or ordered otherwise. kill: those whose grace period was cut to nothing.
        objects: keys of ConfigMaps and Secrets that changed. network: services or endpoints changed.
        withdrawn: an endpoint has left its service, which other agents wait for.
    """

    pods: list[str] = field(default_factory=list)
    kill: list[str] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    network: bool = False
    withdrawn: bool = False


@dataclass(slots=True)
class Conversation:
    """See the module.

    Attributes:
        since, epoch: the revision known, and of which epoch; 0 before anything is.
        applied: the revision of the service rules in force on every Ready node.
        interval: seconds between exchanges when there is nothing to say.
    """

    node: str
    interval: float
    since: int = 0
    epoch: int = 0
    applied: int = 0
    pod_cidr: str = ""
    send_node: bool = True
    records: dict[str, Record] = field(default_factory=dict)
    objects: dict[str, Object | None] = field(default_factory=dict)
    services: dict[str, Object] = field(default_factory=dict)
    slices: dict[str, Object] = field(default_factory=dict)
    serving: set[str] = field(default_factory=set)
    _ready: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def fold(self, answer: dict[str, Any], now: float) -> Told:
        """Take in an answer. Of another epoch that does not hold everything, only that it is another: then
        everything must be asked for."""
        told = Told()
        epoch = int(answer.get("epoch") or 0)
        full = bool(answer.get("full"))
        if self.epoch and epoch != self.epoch and not full:
            self.since, self.epoch = 0, epoch
            return told
        self.epoch = epoch
        self.since = int(answer["revision"])
        self.applied = int(answer.get("applied") or 0)
        self.pod_cidr = answer.get("podCIDR") or self.pod_cidr
        self.interval = float(answer.get("interval") or self.interval)
        self.send_node = bool(answer.get("sendNode"))
        self._fold_objects(answer.get("objects") or {}, told)
        self._fold_network(answer, full, told)
        self._fold_pods(answer, full, now, told)
        self._fold_serving(told)
        return told

    def _fold_objects(self, objects: dict[str, Object | None], told: Told) -> None:
        for key, obj in objects.items():
            if key not in self.objects or self.objects[key] != obj:
                self.objects[key] = obj
                told.objects.add(key)

    def _fold_network(self, answer: dict[str, Any], full: bool, told: Told) -> None:
        services, slices = answer.get("services") or [], answer.get("endpointslices") or []
        if full:
            given = {key_of(s) for s in slices}
            answer = {**answer, "endpointslicesGone": [k for k in self.slices if k not in given]}
            self.services.clear()
        for service in services:
            self.services[key_of(service)] = service
        for key in answer.get("servicesGone") or ():
            self.services.pop(key, None)
        for piece in slices:
            key = key_of(piece)
            self.slices[key] = piece
            now_ready = frozenset(_ready_endpoints(piece))
            told.withdrawn = told.withdrawn or not self._ready.get(key, frozenset()) <= now_ready
            self._ready[key] = now_ready
        for key in answer.get("endpointslicesGone") or ():
            self.slices.pop(key, None)
            told.withdrawn = bool(self._ready.pop(key, None)) or told.withdrawn
        told.network = full or any(
            answer.get(k) for k in ("services", "servicesGone", "endpointslices", "endpointslicesGone")
        )

    def _fold_pods(self, answer: dict[str, Any], full: bool, now: float, told: Told) -> None:
        listed = set()
        for pod in answer.get("pods") or ():
            uid = pod["metadata"]["uid"]
            listed.add(uid)
            record = self.records.get(uid)
            if record is None or record.unknown:
                if record is not None:
                    record.ordered, record.unknown = pod, False
                else:
                    self.records[uid] = Record(pod)
                told.pods.append(uid)
                continue
            before = record.ordered
            record.ordered = pod
            if not same_orders(before, pod):
                record.volumes_due = True
                told.pods.append(uid)
                if _cut_short(before, pod):
                    told.kill.append(uid)
            elif pod.get("status") != record.reported:
                # Somebody else wrote the pod's status, such as a condition of their own.
                record.reported = None
                told.pods.append(uid)
        gone = list(answer.get("gone") or ())
        if full:
            gone = [uid for uid in self.records if uid not in listed]
        for uid in gone:
            record = self.records.get(uid)
            if record is not None and not record.unknown:
                disown(record, now)
                told.pods.append(uid)
                told.kill.append(uid)

    def _fold_serving(self, told: Told) -> None:
        """Which of this node's pods are endpoints, and since which revision they no longer are."""
        if not told.network:
            return
        serving = {uid for ready in self._ready.values() for node, uid in ready if node == self.node}
        for uid in serving - self.serving:
            if uid in self.records:
                self.records[uid].served, self.records[uid].excluded_at = True, None
        for uid in self.serving - serving:
            if uid in self.records:
                self.records[uid].excluded_at = self.since
                told.pods.append(uid)
        self.serving = serving


def _ready_endpoints(piece: Object) -> list[tuple[str, str]]:
    """`(node, pod uid or address)` of the endpoints that get new connections."""
    found = []
    for endpoint in piece.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is False:
            continue
        target = endpoint.get("targetRef") or {}
        who = target.get("uid") or ",".join(endpoint.get("addresses") or ())
        found.append((endpoint.get("nodeName") or "", who))
    return found


def _cut_short(before: Object, after: Object) -> bool:
    """Whether a deletion that was to be gentle is now to be immediate."""
    old, new = before["metadata"], after["metadata"]
    return bool(
        old.get("deletionTimestamp")
        and (old.get("deletionGracePeriodSeconds") or 0) > 1 >= (new.get("deletionGracePeriodSeconds") or 0)
    )
