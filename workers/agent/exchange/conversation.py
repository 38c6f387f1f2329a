"""What an agent has been told by the API of its node, folded together: the other half of `app.registry.exchange`.

Every answer holds what changed since the revision that the request named, or everything (`full`). Folding is
all that happens here; what follows from it is the agent's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.objects.change import Object
from workers.agent.pod import is_static
from workers.agent.record import Record, disown, same_orders
from workers.agent.static.mirrors import is_mirror


@dataclass(slots=True)
class Told:
    """What an answer changed.

    Attributes:
        pods: uids of pods that are new, or ordered otherwise.
        objects: keys of ConfigMaps and Secrets that changed.
    """

    pods: list[str] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Conversation:
    """See the module.

    Attributes:
        since, epoch: the revision known, and of which epoch; 0 before anything is.
        interval: seconds between exchanges when there is nothing to say. serving: uids of the pods that are
            endpoints of a service. standing: `uid`, `labels`, `taints` and `allocatable` of the node as the API has it.
            mirrors: pods that only stand for static ones, by uid.
    """

    node: str
    interval: float
    since: int = 0
    epoch: int = 0
    pod_cidr: str = ""
    send_node: bool = True
    standing: Object | None = None
    records: dict[str, Record] = field(default_factory=dict)
    mirrors: dict[str, Object] = field(default_factory=dict)
    objects: dict[str, Object | None] = field(default_factory=dict)
    serving: set[str] = field(default_factory=set)
    _left: frozenset[str] = frozenset()

    def fold(self, answer: dict[str, Any], common: dict[str, Any], now: float) -> Told:
        """Take in this node's answer, and the one that holds it and those of other nodes (`common`). Of another
        epoch that does not hold everything, only that it is another: then everything must be asked for."""
        told = Told()
        epoch = int(common.get("epoch") or 0)
        full = bool(answer.get("full"))
        if self.epoch and epoch != self.epoch and not full:
            self.since, self.epoch = 0, epoch
            return told
        self.epoch = epoch
        self.since = int(common["revision"])
        self.pod_cidr = answer.get("podCIDR") or self.pod_cidr
        self.interval = float(common.get("interval") or self.interval)
        self.send_node = bool(answer.get("sendNode"))
        self.standing = answer.get("node") or self.standing
        self._fold_objects(answer.get("objects") or {}, told)
        self._fold_pods(answer, full, now, told)
        return told

    def follow(self, serving: set[str], since: int) -> list[str]:
        """The pods of this node that are endpoints of a service as of `since`. Returns the uids of those that no
        longer are, of which is noted since when."""
        for uid in serving - self.serving:
            if uid in self.records:
                self.records[uid].served, self.records[uid].excluded_at = True, None
        left = [uid for uid in self.serving - serving if uid in self.records]
        for uid in left:
            self.records[uid].excluded_at = since
        self.serving = serving
        return left

    def mirrored(self, pod: Object) -> None:
        """The node itself made a mirror, of which it is not told; unless it was told by now that it is gone."""
        if pod["metadata"]["uid"] not in self._left:
            self.mirrors[pod["metadata"]["uid"]] = pod

    def _fold_objects(self, objects: dict[str, Object | None], told: Told) -> None:
        for key, obj in objects.items():
            if key not in self.objects or self.objects[key] != obj:
                self.objects[key] = obj
                told.objects.add(key)

    def _fold_pods(self, answer: dict[str, Any], full: bool, now: float, told: Told) -> None:
        listed = set()
        for pod in answer.get("pods") or ():
            uid = pod["metadata"]["uid"]
            listed.add(uid)
            if is_mirror(pod):
                self.mirrors[uid] = pod
                continue
            record = self.records.get(uid)
            if record is None or record.unknown:
                if record is not None:
                    record.ordered, record.unknown = pod, False
                else:
                    self.records[uid] = Record(pod, served=uid in self.serving)
                told.pods.append(uid)
                continue
            before = record.ordered
            record.ordered = pod
            if not same_orders(before, pod):
                record.volumes_due = True
                told.pods.append(uid)
            elif pod.get("status") != record.reported:
                # Somebody else wrote the pod's status, such as a condition of their own.
                record.reported = None
                told.pods.append(uid)
        gone = list(answer.get("gone") or ())
        if full:
            # Meanwhile a pod may be done and leave.
            records = list(self.records.items())
            gone = [u for u, r in records if u not in listed and not is_static(r.ordered)]
            gone += [uid for uid in self.mirrors if uid not in listed]
        self._left = frozenset(gone)
        for uid in gone:
            self.mirrors.pop(uid, None)
            record = self.records.get(uid)
            if record is not None and not record.unknown:
                disown(record, now)
                told.pods.append(uid)
