"""What nodes and their pods use, as their agents last said: kept beside the state, and gone when nobody says it anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from app.objects.change import Object
from app.objects.usage import Usage
from app.store.store import Store, reachable

# What was measured longer ago is no longer what is used. An agent that measures seldom is heard for so many of its
# windows. Seconds, windows.
LIFE = 60.0
WINDOWS = 3.0


class UsageState:
    """Reports by node, each for a while."""

    def __init__(self, store: Store) -> None:
        # redis-py's own annotations cover answers in text and asynchronous ones too.
        self._redis: Any = store.redis
        self._store = store

    def keep(self, reports: Mapping[str, Object]) -> None:
        """Nodes' new reports, as `Usage` takes them. Raises StoreUnavailable."""
        if not reports:
            return
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            for node, report in reports.items():
                life = max(LIFE, report["window"] * WINDOWS)
                pipe.set(self._key(node), orjson.dumps(report), px=int(life * 1000))
            pipe.execute()

    def of(self, nodes: Iterable[str]) -> Usage:
        """What is known of these nodes, in one round trip. Raises StoreUnavailable."""
        names = list(nodes)
        if not names:
            return Usage({})
        with reachable():
            found = self._redis.mget([self._key(name) for name in names])
        return Usage({name: orjson.loads(said) for name, said in zip(names, found, strict=True) if said})

    def _key(self, node: str) -> str:
        return self._store.key(f"usage:{node}")
