"""The store: the one commit, and reads of single objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources as files
from typing import Literal

from redis import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from app.base.errors import StoreUnavailable
from app.objects.change import Trace, Write
from app.store.body import halves
from app.store.connection import connect
from app.store.keys import Keys

Why = Literal["exists", "absent", "modified", "bound", "claimed", "fenced"]
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
    is none); `claim` is the name that another object holds."""

    why: Why
    revision: int = 0
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof that a worker still holds the key it decided for: `field` of the running work must still hold
    `token` when its writes arrive."""

    field: str
    token: str


class Script:
    """A Lua script beside this module, called by its hash and loaded when the server doesn't know it."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self.text = files.files("app.store").joinpath(f"{name}.lua").read_text()
        self.sha = str(redis.script_load(self.text))

    def __call__(self, keys: Sequence[str], args: Sequence[object] = ()) -> object:
        """Run it. Redis's own errors pass through."""
        try:
            return self._redis.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return self._redis.eval(self.text, len(keys), *keys, *args)


@contextmanager
def reachable() -> Iterator[None]:
    """Turn Redis's errors into the one that says the store can't be reached or refuses."""
    try:
        yield
    except RedisError as exc:
        raise StoreUnavailable(f"the state store does not take requests: {exc}") from exc


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
        self.keys = Keys(cluster)
        self._log_length = log_length
        self._replica_acks = replica_acks
        with reachable():
            self._commit = Script(redis, "commit")
            self.snapshot_script = Script(redis, "snapshot")
            self._epoch = Script(redis, "epoch")

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
            return Script(self.redis, name)

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
        if not writes:
            return []
        made = [(write, *halves(write.obj)) for write in writes]
        # Which binds belong together is only ever compared: the trace and its time tell batches apart.
        batch = f"{trace.id}.{trace.cause}.{actor}.{int(now * 1e6)}.{id(made)}"
        calls = [self._arguments(w, head, tail, actor, trace, now, batch, fence) for w, head, tail in made]
        with reachable():
            replies = self._run(calls)
            if self._replica_acks:
                self._await_replicas()
        results: list[Committed | Rejected] = []
        for (_, head, tail), reply in zip(made, replies, strict=True):
            if reply[0]:
                revision = int(reply[1])
                results.append(Committed(revision, head + str(revision).encode() + tail))
            else:
                results.append(Rejected(reply[1].decode(), int(reply[2]), reply[3].decode()))
        return results

    def _arguments(
        self,
        write: Write,
        head: bytes,
        tail: bytes,
        actor: str,
        trace: Trace,
        now: float,
        batch: str,
        fence: Fence | None,
    ) -> tuple[object, ...]:
        keys = self.keys
        bind = write.bind
        return (
            7, keys.revision, keys.log, keys.objects(write.resource), keys.resources, keys.bound, keys.claims, keys.running,
            write.verb.value, write.resource, write.key, "" if write.expect is None else write.expect, head, tail,
            actor, f"{trace.id} {trace.cause}", int(now * 1000), self._log_length,
            bind.node if bind else "", bind.revision if bind else 0, batch,
            fence.field if fence else "", fence.token if fence else "",
            len(write.claims), *write.claims, *write.releases,
        )  # fmt: skip

    def _run(self, calls: list[tuple[object, ...]]) -> list[list[bytes]]:
        if len(calls) == 1:
            try:
                return [self.redis.evalsha(self._commit.sha, *calls[0])]
            except NoScriptError:
                return [self.redis.eval(self._commit.text, *calls[0])]
        replies = self._pipeline(calls)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            # A restarted server knows no scripts: those calls did nothing, and are made again.
            self.redis.script_load(self._commit.text)
            lost = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            for i, reply in zip(lost, self._pipeline([calls[i] for i in lost]), strict=True):
                replies[i] = reply
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies

    def _pipeline(self, calls: list[tuple[object, ...]]) -> list[list[bytes]]:
        replies: list[list[bytes]] = []
        for start in range(0, len(calls), IN_FLIGHT):
            pipe = self.redis.pipeline(transaction=False)
            for call in calls[start : start + IN_FLIGHT]:
                pipe.evalsha(self._commit.sha, *call)
            replies += pipe.execute(raise_on_error=False)
        return replies

    def _await_replicas(self) -> None:
        acknowledged = int(self.redis.wait(self._replica_acks, REPLICA_WAIT_MS))
        if acknowledged < self._replica_acks:
            raise StoreUnavailable(
                f"only {acknowledged} of {self._replica_acks} replicas have the write; it may be lost in a failover"
            )

    def get(self, resource: str, key: str) -> Stored | None:
        """The object as it is now, or None."""
        with reachable():
            value = self.redis.hget(self.keys.objects(resource), key)
        return parse_stored(value)

    def get_many(self, wanted: Sequence[tuple[str, str]]) -> list[Stored | None]:
        """The objects of each `(resource, key)` as they are now, in one round trip."""
        if not wanted:
            return []
        with reachable():
            pipe = self.redis.pipeline(transaction=False)
            for resource, key in wanted:
                pipe.hget(self.keys.objects(resource), key)
            return [parse_stored(value) for value in pipe.execute()]

    def revision(self) -> int:
        """The cluster's revision now: that of the newest commit."""
        with reachable():
            return int(self.redis.get(self.keys.revision) or 0)

    def begin_epoch(self, seen: int) -> int:
        """Say that revisions were lost after epoch `seen`; returns the epoch that now holds."""
        with reachable():
            return int(self._epoch([self.keys.epoch], [seen]))

    def claims(self) -> dict[str, str]:
        """Every claim held, and by whom: `<resource> <key>`."""
        with reachable():
            held = self.redis.hgetall(self.keys.claims)
        return {claim.decode(): holder.decode() for claim, holder in held.items()}

    def close(self) -> None:
        self.redis.close()


def parse_stored(value: bytes | None) -> Stored | None:
    """What lies in an objects hash: revision, newline, body."""
    if value is None:
        return None
    revision, _, body = value.partition(b"\n")
    return Stored(int(revision), body)
