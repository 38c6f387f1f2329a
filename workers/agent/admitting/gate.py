"""Lets pods onto the node, each once, when its agent first hears of it; see `admission` for who may not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from app.objects.pods import FINISHED
from workers.agent.admitting.admission import Asked, Room, asked_by, refusal
from workers.agent.configuring import sysctls
from workers.agent.pressure.ending import recall, reject
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings


class Gate:
    """See the module.

    Args:
        records: the node's pods. room: the node as it is now; None while nobody knows.
    """

    def __init__(
        self, around: Surroundings, records: Callable[[], Collection[Record]], room: Callable[[], Room | None]
    ) -> None:
        self._around, self._records, self._room = around, records, room
        self._lock = threading.Lock()

    def check(self, record: Record) -> None:
        """Reject the pod if the node can't take it. One that an agent before this one let in stays."""
        recall(record)
        with self._lock:
            if not _is_old(record) and not record.deleting and record.memory.failed is None:
                forbidden = sysctls.refusal(record.pod, self._around.settings.unsafe_sysctls)
                if forbidden is not None:
                    reject(self._around, record, *forbidden)
                    return
                room = self._room()
                if room is not None:
                    others = [_asked(r) for r in self._records() if r is not record and _counts(r)]
                    wrong = refusal(record.pod, _asked(record), others, room)
                    if wrong is not None:
                        reject(self._around, record, wrong.reason, wrong.message)
                        return
            record.inside = True


def _asked(record: Record) -> Asked:
    """What the pod asks for, found out once for each order."""
    known, spec = record.asked, record.ordered["spec"]
    if known is None or known[0] is not spec:
        known = record.asked = (spec, asked_by(record.ordered))
    return known[1]


def _counts(record: Record) -> bool:
    """Whether something of the pod runs, or is about to."""
    if record.finished or record.unknown or record.memory.rejected:
        return False
    status = record.reported or record.ordered.get("status") or {}
    return status.get("phase") not in FINISHED and (record.inside or _is_old(record))


def _is_old(record: Record) -> bool:
    """Whether an agent has seen to the pod before, as its status tells."""
    status = record.ordered.get("status") or {}
    return bool(status.get("startTime")) or status.get("phase") in FINISHED
