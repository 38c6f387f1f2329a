"""The work ledger in Redis: `app.bus.work.Ledger`, by one Lua script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

from app.base.ids import Ids
from app.bus.work import Delayed, Finished, Settled, Taken, Work
from app.objects.change import Trace
from app.store.store import Store, reachable

# A failing key's first retry comes soon, since most failures are races; then twice as late each time. Seconds.
BACKOFF_BASE = 0.05
BACKOFF_CAP = 300.0
# A busy queue makes others wait as long; that sends a few messages twice, which find nothing to take. Seconds.
LOST_AFTER = 10.0
# Fields handed to one call of the script: Redis serves nobody else meanwhile.
BATCH = 500

Item = TypeVar("Item")

_KEYS = (
    "queued",
    "running",
    "leases",
    "again",
    "trace",
    "due",
    "due_trace",
    "failures",
    "depth",
    "counters",
    "token",
    "resting",
)


class WorkLedger:
    """A cluster's queued, running and delayed work.

    Args:
        lease: seconds that a worker may hold a key.
        lost_after: seconds after which the message for a key that nobody took counts as lost.
    """

    def __init__(
        self, store: Store, ids: Ids, *, lease: float = 60.0, lost_after: float = LOST_AFTER
    ) -> None:
        self._store = store
        self._ids = ids
        self._lease = lease
        self._lost_after = min(lost_after, lease)
        self._keys = [store.key(f"work:{name}") for name in _KEYS]
        self._script = store.script("work")

    def enqueue(self, work: Sequence[Work], now: float) -> list[tuple[str, str]]:
        """See `Ledger.enqueue`. All methods raise StoreUnavailable where Redis can't be reached."""
        fields: list[tuple[str, str]] = []
        for batch in _batches(work):
            args = [part for item in batch for part in (_field(item.role, item.key), _written(item.trace))]
            fields += map(_parts, self._call("enqueue", now, args))
        return fields

    def schedule(self, work: Sequence[Delayed], now: float) -> None:
        for batch in _batches(work):
            args = [
                part for d in batch for part in (_field(d.work.role, d.work.key), d.at, _written(d.work.trace))
            ]  # fmt: skip
            self._call("schedule", now, args)

    def take(self, role: str, keys: Sequence[str], worker: str, now: float) -> list[Taken]:
        reply = self._call("take", now, [self._lease, worker, *(_field(role, key) for key in keys)])
        taken = []
        for field, token, trace in zip(reply[::3], reply[1::3], reply[2::3], strict=True):
            name = field.decode()
            taken.append(Taken(role, name.partition("|")[2], name, token.decode(), _trace(trace.decode())))
        return taken

    def done(self, finished: Sequence[Finished], now: float) -> Settled:
        args: list[object] = [BACKOFF_BASE, BACKOFF_CAP]
        for end in finished:
            delay = "" if end.again_after is None else end.again_after
            # Up to a quarter less, so that keys that failed together don't come back together.
            jitter = 1 - self._ids.fraction() / 4
            args += [end.taken.field, end.taken.token, end.outcome.value, delay, jitter, end.rest]
        publish, lost, next_due = self._call("done", now, args)
        return Settled(
            tuple(map(_parts, publish)), tuple(map(_parts, lost)), float(next_due) if next_due else None
        )

    def sweep(self, now: float) -> tuple[list[tuple[str, str]], float | None]:
        publish, next_time = self._call("sweep", now, [self._lost_after, BATCH])
        return [_parts(field) for field in publish], float(next_time) if next_time else None

    def bury(self, worker: str, now: float) -> None:
        """`worker` is dead, as the next one of its name knows: what it ran is run again at the next sweep."""
        self._call("bury", now, [worker])

    def claim_resync(self, interval: float) -> bool:
        with reachable():
            won = self._store.redis.set(
                self._store.key("work:resync"), 1, nx=True, px=max(1, int(interval * 1000))
            )
        return bool(won)

    # -- what the metrics show -----------------------------------------------------------------------

    def depth(self) -> dict[str, int]:
        """How many keys are queued, by role."""
        return {role: count for role, count in self._counts("depth").items() if count}

    def running(self) -> dict[tuple[str, str], str]:
        """`(role, key)` of what is being run -> the token, which ends with `@` and the worker."""
        with reachable():
            held = cast(dict[bytes, bytes], self._store.redis.hgetall(self._store.keys.running))
        return {_parts(field): token.decode() for field, token in held.items()}

    def failures(self) -> dict[tuple[str, str], int]:
        """`(role, key)` of what keeps failing -> how many times in a row."""
        return {_parts(field): count for field, count in self._counts("failures").items()}

    def counters(self) -> dict[tuple[str, str], int]:
        """`(role, outcome)` -> how many runs ended so; the outcome `expired` counts leases that ran out."""
        return {_parts(field): count for field, count in self._counts("counters").items()}

    def due(self) -> dict[tuple[str, str], float]:
        """`(role, key)` of what is delayed -> when it falls due, in seconds since the epoch."""
        with reachable():
            found = self._store.redis.zrange(self._store.key("work:due"), 0, -1, withscores=True)
        return {_parts(field): at for field, at in cast(list[tuple[bytes, float]], found)}

    def _counts(self, name: str) -> dict[str, int]:
        with reachable():
            found = cast(dict[bytes, bytes], self._store.redis.hgetall(self._store.key(f"work:{name}")))
        return {field.decode(): int(count) for field, count in found.items()}

    def _call(self, operation: str, now: float, args: Sequence[object]) -> Any:
        with reachable():
            return cast(Any, self._script(self._keys, [operation, f"{now:.6f}", *args]))


def _field(role: str, key: str) -> str:
    return f"{role}|{key}"


def _parts(field: bytes | str) -> tuple[str, str]:
    """`(role, key)`: a role's name has no bar in it, a key may."""
    text = field.decode() if isinstance(field, bytes) else field
    role, _, key = text.partition("|")
    return role, key


def _written(trace: Trace) -> str:
    return f"{trace.id}:{trace.cause}"


def _trace(text: str) -> Trace:
    name, _, cause = text.rpartition(":")
    return Trace(name, int(cause or 0))


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
