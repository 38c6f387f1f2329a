"""What an agent holds of one pod."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.base.clock import rfc3339
from app.objects.change import Object
from app.objects.references import references
from workers.agent.admitting.admission import Asked
from workers.agent.deciding.stop import ORPHAN_GRACE
from workers.agent.memory import PodMemory
from workers.agent.resizing.allocation import with_allocation
from workers.runtime.protocol import PodRef


@dataclass(slots=True)
class Record:
    """One pod on this node.

    Attributes:
        ordered: the object as the API last sent it; only the exchange sets it. memory: see `PodMemory`.
        reported: the status last handed over for sending; None before the first.
        unknown: the API has no such pod (any more): what runs of it is ended, and nothing is reported.
        finished: nothing of it is left in the runtime.
        served: it was an endpoint of a service. excluded_at: the revision of this node's rules that first
            left it out again.
        volumes_due: the content of its volumes may have changed. mirror: of a static pod, the uid of what stands for it
            in the API; empty while nothing does.
        again: it is to be begun anew, whatever is remembered of it.
        inside, asked: for the node's gate: it let the pod in, and what the pod asks for, as of an order.
    """

    ordered: Object
    memory: PodMemory = field(default_factory=PodMemory)
    reported: Object | None = None
    unknown: bool = False
    finished: bool = False
    served: bool = False
    excluded_at: int | None = None
    volumes_due: bool = False
    mirror: str = ""
    again: bool = False
    inside: bool = False
    asked: tuple[Object, Asked] | None = None
    _drawn: tuple[Object, frozenset[tuple[str, str]]] | None = None

    @property
    def draws_on(self) -> frozenset[tuple[str, str]]:
        """`references` of the pod. Every exchange asks, so they are found out once for each order."""
        drawn = self._drawn
        if drawn is None or drawn[0] is not self.ordered:
            drawn = self._drawn = self.ordered, frozenset(references(self.ordered))
        return drawn[1]

    @property
    def pod(self) -> Object:
        """The pod as ordered, with the status that was reported last, whether or not the API has it yet: what the
        next decision and the next status build on. While it asks for more than it was given (`allocation`), it is
        shown as it was given."""
        resize = self.memory.resize
        pod = self.ordered
        if resize.pending is not None and resize.given is not None:
            pod = with_allocation(pod, resize.given)
        return pod if self.reported is None else {**pod, "status": self.reported}

    def begin_anew(self) -> None:
        """Forget what was remembered of the pod, and what was reported. While nobody else is at work on it."""
        self.again, self.memory, self.reported = False, PodMemory(), None

    @property
    def uid(self) -> str:
        return str(self.ordered["metadata"]["uid"])

    @property
    def known_as(self) -> str:
        """The pod's uid in the API: for a static one, that of the mirror that stands for it."""
        return self.mirror or self.uid

    @property
    def deleting(self) -> bool:
        return bool(self.ordered["metadata"].get("deletionTimestamp"))


def orphan(ref: PodRef, now: float) -> Record:
    """The record of a pod that runs here and that the API doesn't know."""
    meta = {"uid": ref.uid, "namespace": ref.namespace, "name": ref.name}
    record = Record({"kind": "Pod", "metadata": meta, "spec": {"containers": []}})
    disown(record, now)
    return record


def disown(record: Record, now: float) -> None:
    """The API no longer has the pod: end what runs of it, quickly."""
    meta = {
        **record.ordered["metadata"],
        "deletionTimestamp": rfc3339(now),
        "deletionGracePeriodSeconds": ORPHAN_GRACE,
    }
    record.ordered = {**record.ordered, "metadata": meta}
    record.unknown = True


def same_orders(old: Object, new: Object) -> bool:
    """Whether nothing differs between two versions of a pod that an agent acts upon; its own status coming
    back does not count."""
    if old["spec"] != new["spec"]:
        return False
    before, after = old["metadata"], new["metadata"]
    names = ("labels", "annotations", "deletionTimestamp", "deletionGracePeriodSeconds")
    return all(before.get(name) == after.get(name) for name in names)
