"""What a node's agent has to tell users: Events, counted here and sent with the next exchange."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.exchange.outbox import ROOM, fitting

# Events of the same words that come again later than this begin to count from one. Seconds.
FORGET_AFTER = 3600.0
REMEMBERED = 4096
# So many go with one exchange; and what waits while the API is away has a bound.
SENT = 500
WAITING = 4096
# As much of a message as the API keeps (the bound of Kubernetes's events.k8s.io/v1, for `note`). Characters.
LONGEST = 1024

Note = dict[str, object]


class Notes:
    """The events of one node: those alike in everything are one with a count.

    What is new is worth an exchange, and its length counts those only: that something happened once more goes with the
    next exchange, or a hundred probes that fail each second would be a hundred exchanges.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, ...], Note] = OrderedDict()
        self._fresh: dict[tuple[str, ...], Note] = {}
        self._new: set[tuple[str, ...]] = set()

    def tell(
        self,
        obj: Object,
        reason: str,
        message: str,
        *,
        warning: bool = False,
        container: str = "",
        init: bool = False,
    ) -> bool:
        """Note that something happened to `obj` (a Pod or the Node), to `container` of it if named. Whether that is
        new."""
        meta = obj["metadata"]
        kind = "Warning" if warning else "Normal"
        path = f"spec.{'initContainers' if init else 'containers'}{{{container}}}" if container else ""
        message = message[:LONGEST]
        key = (str(meta.get("uid", meta["name"])), reason, kind, message, path)
        now = self._clock.now()
        with self._lock:
            note = self._known.pop(key, None)
            if note is None or now - float(note["last"]) > FORGET_AFTER:  # type: ignore[arg-type]
                regarding = {
                    "apiVersion": "v1",
                    "kind": obj.get("kind") or "Pod",
                    "name": meta["name"],
                    "uid": meta.get("uid", meta["name"]),
                }
                if meta.get("namespace"):
                    regarding["namespace"] = meta["namespace"]
                if path:
                    regarding["fieldPath"] = path
                note = {
                    "regarding": regarding,
                    "type": kind,
                    "reason": reason,
                    "message": message,
                    "count": 0,
                    "first": now,
                    "last": now,
                }
            fresh = {**note, "count": int(note["count"]) + 1, "last": now}  # type: ignore[call-overload]
            self._known[key] = fresh
            self._fresh[key] = fresh
            if fresh["count"] == 1:
                self._new.add(key)
            self._bound()
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return fresh["count"] == 1

    def take(self, room: int = ROOM) -> list[Note]:
        """What has not been sent yet, or the oldest of it that fits into so many bytes. Give it back with `keep` if it
        could not be."""
        with self._lock:
            taken, _ = fitting(dict(itertools.islice(self._fresh.items(), SENT)), room)
            self._new.difference_update(taken)
            return [self._fresh.pop(key) for key in taken]

    def keep(self, notes: list[Note]) -> None:
        """Send these again next time, unless they have counted on since."""
        with self._lock:
            for note in notes:
                regarding: dict[str, str] = note["regarding"]  # type: ignore[assignment]
                key = (
                    regarding["uid"],
                    str(note["reason"]),
                    str(note["type"]),
                    str(note["message"]),
                    regarding.get("fieldPath", ""),
                )
                self._fresh.setdefault(key, note)
                self._new.add(key)
            self._bound()

    def _bound(self) -> None:
        """With the lock held: of more than can wait, the oldest are given up."""
        while len(self._fresh) > WAITING:
            key = next(iter(self._fresh))
            del self._fresh[key]
            self._new.discard(key)

    def __len__(self) -> int:
        return len(self._new)
