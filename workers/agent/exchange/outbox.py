"""What an agent has to say at its next exchange, and what of it was accepted."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import orjson

from app.objects.change import Object

# What one request may hold. Bytes; the API takes 3 MiB (`max_body`), and what is not counted here is small.
ROOM = 2 << 20

Key = TypeVar("Key", bound=Hashable)
Said = TypeVar("Said", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True)
class Batch:
    """What one exchange carries up."""

    statuses: dict[str, Object]
    removed: dict[str, Object]


class Outbox:
    """Statuses and ends of pods, by uid. What is put in while a batch is on its way goes with the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statuses: dict[str, Object] = {}
        self._removed: dict[str, Object] = {}

    def status(self, pod: Object, status: Object) -> None:
        """The pod's status has changed."""
        meta = pod["metadata"]
        uid = str(meta["uid"])
        with self._lock:
            self._statuses[uid] = {**_name(meta), "uid": uid, "status": status}

    def removed(self, pod: Object) -> None:
        """Nothing is left of the pod: its object, marked for deletion, may go for good."""
        meta = pod["metadata"]
        uid = str(meta["uid"])
        with self._lock:
            self._removed[uid] = {**_name(meta), "uid": uid}

    def forget(self, uid: str) -> None:
        """Nobody wants to hear of the pod any more."""
        with self._lock:
            self._statuses.pop(uid, None)
            self._removed.pop(uid, None)

    def take(self, room: int = ROOM) -> tuple[Batch, int]:
        """What there is to say now and fits into so many bytes, and how many are left. It stays until `accepted`."""
        with self._lock:
            statuses, left = fitting(self._statuses, room)
            # How a pod ended is said no later than that it is gone.
            told = {u: said for u, said in self._removed.items() if u in statuses or u not in self._statuses}
            removed, left = fitting(told, left)
            return Batch(statuses, removed), left

    def accepted(self, batch: Batch) -> None:
        """The API has it; what was said anew since is still to be said."""
        with self._lock:
            for held, sent in ((self._statuses, batch.statuses), (self._removed, batch.removed)):
                for uid, said in sent.items():
                    if held.get(uid) is said:
                        del held[uid]
                    elif uid in held:
                        # Behind the others: what changes all the time would keep them from being said.
                        held[uid] = held.pop(uid)

    def __len__(self) -> int:
        return len(self._statuses) + len(self._removed)


def fitting(held: Mapping[Key, Said], room: int) -> tuple[dict[Key, Said], int]:
    """The oldest of what is to be said that fit into so many bytes of JSON, but one at the least, or it would never be
    said; and how many bytes are left."""
    found: dict[Key, Said] = {}
    for key, said in held.items():
        size = len(orjson.dumps(said)) + 1
        if found and size > room:
            break
        found[key] = said
        room -= size
    return found, room


def _name(meta: Object) -> Object:
    return {"namespace": meta.get("namespace", ""), "name": meta["name"]}
