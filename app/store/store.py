"""The store: the one commit, and reads of single objects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources as files
from itertools import count
from types import TracebackType
from typing import Any, Literal

from redis import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from app.base.errors import StoreUnavailable
from app.base.ids import RandomIds
from app.objects.change import Trace, Write
from app.objects.rules import CLUSTER, rules_of
from app.store.body import halves
from app.store.connection import connect
from app.store.keys import Keys
from app.store.wire import Argument, Wire

Why = Literal["exists", "absent", "modified", "bound", "claimed", "fenced", "namespace", "rules", "charged"]
REPLICA_WAIT_MS = 2000
# Commits sent before their answers are read: Redis keeps the answers in memory until then.
IN_FLIGHT = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it lies in the store: its revision and its JSON."""

    revision: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """A write that happened, at `revision`; `body` is the object with that revision in it."""

    revision: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A write that did not happen, because of a precondition. `revision` is the stored object's (0 if there
    is none); `claim` is the name that another object holds. `namespace` says that the one it was to be within
    is not there, or going."""

    why: Why
    revision: int = 0
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Caused:
    """A write, who makes it and what led to it."""

    write: Write
    actor: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof that a worker still holds the key it decided for: `field` of the running work must still hold
    `token` when its writes arrive."""

    field: str
    token: str


class Script:
    """A Lua script beside this module, called by its hash and loaded when the server doesn't know it."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self.text = files.files("app.store").joinpath(f"{name}.lua").read_text()
        self.sha: str = wire.call("SCRIPT LOAD", self.text).decode()

    def __call__(self, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        """Run it. Redis's own errors pass through."""
        try:
            return self._wire.call("EVALSHA", self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return self._wire.call("EVAL", self.text, len(keys), *keys, *args)


class _Reachable:
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(exc, RedisError):
            raise StoreUnavailable(f"the state store does not take requests: {exc}") from exc


_REACHABLE = _Reachable()


def reachable() -> _Reachable:
    """Turns Redis's errors into the one that says the store can't be reached or refuses."""
    return _REACHABLE


class Store:
    """A cluster's state in Redis.

    Args:
        log_length: entries that the change log keeps, about.
        replica_acks: replicas that must have a commit before it counts as done (0: none is asked).
    """

    def __init__(
        self, redis: Redis, cluster: str = "default", *, log_length: int = 20_000, replica_acks: int = 0
    ) -> None:
        self.redis = redis
        self.wire = Wire(redis.connection_pool)
        self.keys = keys = Keys(cluster)
        self._objects = keys.objects("")
        self._shared = (
            keys.resources,
            keys.bound,
            keys.claims,
            keys.running,
            keys.objects("namespaces"),
            keys.admitted,
        )
        self._heads = (keys.revision, keys.log)
        self._name, self._batches = RandomIds().trace(), count(1)
        self._log_length = log_length
        self._replica_acks = replica_acks
        with reachable():
            self._commit = Script(self.wire, "commit")
            self.snapshot_script = Script(self.wire, "snapshot")
            self._epoch = Script(self.wire, "epoch")

    @classmethod
    def connect(
        cls, url: str, cluster: str = "default", *, log_length: int = 20_000, replica_acks: int = 0
    ) -> Store:
        """The store at `url`. Raises UserError or StoreUnavailable, see `app.store.connection.connect`."""
        return cls(connect(url), cluster, log_length=log_length, replica_acks=replica_acks)

    def key(self, name: str) -> str:
        """The full name of one of the cluster's keys."""
        return self.keys.of(name)

    def script(self, name: str) -> Script:
        """One of the scripts in this room."""
        with reachable():
            return Script(self.wire, name)

    def commit(
        self,
        writes: Sequence[Write],
        *,
        actor: str,
        trace: Trace,
        now: float,
        fence: Fence | None = None,
    ) -> list[Committed | Rejected]:
        """Make the writes, in order, in one pipeline; each stands on its own preconditions.

        Args:
            actor: who writes: a user, or a role. now: seconds since the epoch, for the log.
            fence: lets all of them through only while a worker holds its key.

        Raises:
            StoreUnavailable: the answer did not come. Some or all of the writes may have happened.
        """
        return self.commit_caused([Caused(write, actor, trace) for write in writes], now=now, fence=fence)

    def commit_caused(
        self, writes: Sequence[Caused], *, now: float, fence: Fence | None = None
    ) -> list[Committed | Rejected]:
        """`commit` where each write has an actor and a trace of its own: what agents report in one exchange was
        caused by as many changes as there are pods, and one round trip is enough for all of it.

        Raises:
            StoreUnavailable: see `commit`.
        """
        if not writes:
            return []
        made = [(caused, *halves(caused.write.obj)) for caused in writes]
        # What belongs together is only ever compared, so that the name need not be the same when a run is repeated.
        batch = f"{self._name}.{os.getpid()}.{next(self._batches)}"
        calls = [self._arguments(caused, head, tail, now, batch, fence) for caused, head, tail in made]
        with reachable():
            replies = self._run(calls)
        results: list[Committed | Rejected] = []
        for (_, head, tail), reply in zip(made, replies, strict=True):
            if reply[0]:
                revision = int(reply[1])
                results.append(Committed(revision, head + str(revision).encode() + tail))
            else:
                results.append(Rejected(reply[1].decode(), int(reply[2]), reply[3].decode()))
        return results

    def _arguments(
        self, caused: Caused, head: bytes, tail: bytes, now: float, batch: str, fence: Fence | None
    ) -> tuple[Argument, ...]:
        write, trace = caused.write, caused.trace
        bind, guard = write.bind, write.guard
        return (
            9, *self._heads, self._objects + write.resource, *self._shared,
            write.verb.value, write.resource, write.key, "" if write.expect is None else write.expect, head, tail,
            caused.actor, f"{trace.id} {trace.cause}", int(now * 1000), self._log_length,
            bind.node if bind else "", bind.revision if bind else 0, batch,
            fence.field if fence else "", fence.token if fence else "", write.within,
            (guard.namespace or CLUSTER) if guard else "", guard.revision if guard else 0,
            guard.namespace if guard and guard.counted is not None else "",
            (guard.counted or 0) if guard else 0, rules_of(write),
            len(write.claims), *write.claims, *write.releases,
        )  # fmt: skip

    def _run(self, calls: list[tuple[Argument, ...]]) -> list[list[Any]]:
        replies: list[Any] = []
        for start in range(0, len(calls), IN_FLIGHT):
            replies += self._send(calls[start : start + IN_FLIGHT])
        lost = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if lost:
            # A restarted server knows no scripts: those calls did nothing, and are made again.
            self.wire.call("SCRIPT LOAD", self._commit.text)
            for i, reply in zip(lost, self._send([calls[i] for i in lost]), strict=True):
                replies[i] = reply
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies

    def _send(self, calls: list[tuple[Argument, ...]]) -> list[Any]:
        sha = self._commit.sha
        if not self._replica_acks:
            return self.wire.pipeline([("EVALSHA", sha, *call) for call in calls])
        # WAIT speaks of what was written over its own connection.
        wait: tuple[Argument, ...] = ("WAIT", self._replica_acks, REPLICA_WAIT_MS)
        *replies, acknowledged = self.wire.pipeline([*(("EVALSHA", sha, *call) for call in calls), wait])
        if isinstance(acknowledged, ResponseError):
            raise acknowledged
        if acknowledged < self._replica_acks:
            raise StoreUnavailable(
                f"only {acknowledged} of {self._replica_acks} replicas have the write; it may be lost in a failover"
            )
        return replies

    def get(self, resource: str, key: str) -> Stored | None:
        """The object as it is now, or None."""
        with reachable():
            value = self.wire.call("HGET", self._objects + resource, key)
        return parse_stored(value)

    def get_many(self, wanted: Sequence[tuple[str, str]]) -> list[Stored | None]:
        """The objects of each `(resource, key)` as they are now, in one round trip."""
        if not wanted:
            return []
        with reachable():
            values = self.wire.together(
                *(("HGET", self._objects + resource, key) for resource, key in wanted)
            )
        return [parse_stored(value) for value in values]

    def revision(self) -> int:
        """The cluster's revision now: that of the newest commit."""
        with reachable():
            return int(self.wire.call("GET", self.keys.revision) or 0)

    def begin_epoch(self, seen: int) -> int:
        """Say that revisions were lost after epoch `seen`; returns the epoch that now holds."""
        with reachable():
            return int(self._epoch([self.keys.epoch], [seen]))

    def claims(self) -> dict[str, str]:
        """Every claim held, and by whom: `<resource> <key>`."""
        with reachable():
            flat = self.wire.call("HGETALL", self.keys.claims)
        return {claim.decode(): holder.decode() for claim, holder in zip(flat[::2], flat[1::2], strict=True)}

    def close(self) -> None:
        self.wire.close()
        self.redis.close()


def parse_stored(value: bytes | None) -> Stored | None:
    """What lies in an objects hash: revision, newline, body."""
    if value is None:
        return None
    revision, _, body = value.partition(b"\n")
    return Stored(int(revision), body)
