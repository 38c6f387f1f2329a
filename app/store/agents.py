"""What nodes and the API tell each other in passing: not state, and worth nothing once it is old.

Losing any of it delays something; it never changes what is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from app.store.store import Store, reachable

# A nudge that is on its way longer than this is taken for lost. Seconds.
NUDGE_LIFE = 5
# How long a log request or a chunk waits for the other side. Seconds.
STREAM_LIFE = 30
# Who said longer ago than this that they read a stream is gone. Seconds.
PRESENCE = 20
# A stream's writer waits while this many chunks lie unread: they take room from the objects.
CHUNKS_AHEAD = 16
_END = b""


class AgentState:
    """Applied service rules, nudges under way, and streams between the API and agents."""

    def __init__(self, store: Store) -> None:
        # redis-py's own annotations cover answers in text and asynchronous ones too.
        self._redis: Any = store.redis
        self._store = store

    def forget(self, node: str) -> None:
        """The node is gone for good."""
        with reachable():
            self._redis.hdel(self._store.key("applied"), node)

    def arrive(self, rules: Mapping[str, int]) -> tuple[dict[str, int], dict[str, list[dict[str, Any]]]]:
        """Nodes' agents begin an exchange: name -> the revision of the service rules in force there.

        What changes from here on is worth another nudge. Returns the revision of the rules in force on each node that
        ever said so, and by node the streams asked of those that came, each handed out once.
        """
        applied = self._store.key("applied")
        streams = [self._store.key(f"streams:{node}") for node in rules]
        if not rules:
            return {}, {}
        with reachable():
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(*(self._store.key(f"nudge:{node}") for node in rules))
            pipe.hset(applied, mapping=dict(rules))
            pipe.hgetall(applied)
            for name in streams:
                pipe.lrange(name, 0, -1)
            pipe.delete(*streams)
            _, _, said, *offered, _ = pipe.execute()
        handed = {
            node: [orjson.loads(i) for i in items]
            for node, items in zip(rules, offered, strict=True)
            if items
        }
        return {name.decode(): int(at) for name, at in said.items()}, handed

    def set_nudges(self, nodes: Iterable[str]) -> list[str]:
        """Those of the nodes to which a nudge is worth sending: none is on its way already."""
        wanted = list(nodes)
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            for node in wanted:
                pipe.set(self._store.key(f"nudge:{node}"), 1, nx=True, ex=NUDGE_LIFE)
            return [node for node, fresh in zip(wanted, pipe.execute(), strict=True) if fresh]

    def offer_stream(self, node: str, request: dict[str, Any]) -> None:
        """Ask the node's agent for a stream; `request["id"]` names it."""
        name = self._store.key(f"streams:{node}")
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            pipe.rpush(name, orjson.dumps(request))
            pipe.expire(name, STREAM_LIFE)
            pipe.execute()

    def push_chunk(self, stream: str, chunk: bytes | None) -> int:
        """Put the next chunk (None: the end) of a stream. Returns how many now wait: a writer holds back
        at `CHUNKS_AHEAD`; -1 says that the reader has gone away."""
        name = self._store.key(f"stream:{stream}")
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            pipe.exists(self._store.key(f"stream-gone:{stream}"))
            pipe.rpush(name, chunk if chunk else _END)
            pipe.expire(name, STREAM_LIFE)
            gone, waiting, _ = pipe.execute()
            if gone:
                self._redis.delete(name)
                return -1
        return int(waiting)

    def waiting_chunks(self, stream: str) -> int:
        """How many chunks the reader has not taken; -1 once it has gone away."""
        name = self._store.key(f"stream:{stream}")
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            pipe.exists(self._store.key(f"stream-gone:{stream}"))
            pipe.llen(name)
            # A reader that takes its time loses nothing as long as its writer waits for it.
            pipe.expire(name, STREAM_LIFE)
            gone, waiting, _ = pipe.execute()
        return -1 if gone else int(waiting)

    def pulse(self, mine: str, other: str) -> tuple[bool, bool]:
        """Somebody reads the stream `mine` and writes `other`. Returns whether anybody said the reverse lately, and
        whether the reader of `other` has gone away."""
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            pipe.set(self._store.key(f"stream-read:{mine}"), 1, ex=PRESENCE)
            pipe.exists(self._store.key(f"stream-read:{other}"))
            pipe.exists(self._store.key(f"stream-gone:{other}"))
            for stream in (mine, other):
                # Who takes their time loses nothing, though the other side has said all.
                pipe.expire(self._store.key(f"stream:{stream}"), STREAM_LIFE)
            _, there, gone, *_ = pipe.execute()
        return bool(there), bool(gone)

    def pop_chunks(self, stream: str, timeout: float) -> list[bytes] | None:
        """The chunks that came, waiting up to `timeout` seconds for the first; an empty list if none came.
        None once the stream has ended."""
        name = self._store.key(f"stream:{stream}")
        with reachable():
            first = self._redis.blpop([name], timeout=timeout)
            if first is None:
                return []
            if first[1] == _END:
                return None
            more = self._redis.lpop(name, CHUNKS_AHEAD) or []
            if _END in more:
                more = more[: more.index(_END)]
                pipe = self._redis.pipeline(transaction=False)
                pipe.rpush(name, _END)
                pipe.expire(name, STREAM_LIFE)
                pipe.execute()
        return [first[1], *more]

    def abandon(self, stream: str) -> None:
        """The reader goes away: the writer will be told."""
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            pipe.set(self._store.key(f"stream-gone:{stream}"), 1, ex=STREAM_LIFE * 2)
            pipe.delete(self._store.key(f"stream:{stream}"))
            pipe.execute()
