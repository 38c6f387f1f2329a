"""What the tests of the bus share: a clock that stands still, and everything a dispatcher needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from app.base.ids import RandomIds
from app.bus.dispatcher import Dispatcher
from app.bus.nudges import Nudger
from app.objects.change import Change, Interest, Object, ReadView, Trace, Verb, Write, key_of
from app.store.agents import AgentState
from app.store.feed import Feed
from app.store.store import Committed, Store
from app.store.view import View
from app.store.work import WorkLedger
from tests.clock import HandClock
from workers.reconcile.plan import NOTHING, Role


class Outbox:
    """Where messages end up instead of in a broker."""

    def __init__(self) -> None:
        self.work: list[tuple[str, str]] = []
        self.nudged: list[str] = []

    def publish(self, work: Sequence[tuple[str, str]]) -> None:
        self.work += work

    def nudge(self, queues: Mapping[str, Sequence[str]]) -> None:
        self.nudged += queues


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1_000_000.0)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def ledger(store: Store) -> WorkLedger:
    return WorkLedger(store, RandomIds(1))


@pytest.fixture
def put(store: Store) -> Callable[..., Committed]:
    """Create or replace an object, whatever was there."""

    def put(resource: str, obj: Object, trace: Trace | None = None) -> Committed:
        key = key_of(obj)
        verb = Verb.UPDATE if store.get(resource, key) else Verb.CREATE
        result = store.commit(
            [Write(verb, resource, key, obj)], actor="test", trace=trace or Trace("t"), now=1.0
        )[0]
        assert isinstance(result, Committed)
        return result

    return put


def _own(change: Change, view: ReadView) -> list[str]:
    return [change.key]


def _namespace(change: Change, view: ReadView) -> list[str]:
    return [change.key.rpartition("/")[0]]


def _keys(view: ReadView) -> list[str]:
    return view.keys("configmaps")


@pytest.fixture
def roles() -> tuple[Role, ...]:
    """One role that looks at ConfigMaps, and one that looks at namespaces whatever changes in them."""
    return (
        Role("maps", lambda view, key, now: NOTHING, (Interest("configmaps", _own),), _keys),
        Role(
            "spaces",
            lambda view, key, now: NOTHING,
            (Interest("*", _namespace),),
            lambda view: view.keys("namespaces"),
        ),
    )


@pytest.fixture
def make_dispatcher(
    store: Store, ledger: WorkLedger, outbox: Outbox, roles: tuple[Role, ...], clock: HandClock
) -> Callable[[str], Dispatcher]:
    """A dispatcher of the given name, with a view of its own."""

    def make(name: str, *, history: int = 10_000, lease: float = 0.0) -> Dispatcher:
        return Dispatcher(
            Feed(store, name), View(store, history=history), ledger, outbox, Nudger(AgentState(store), outbox),
            roles, clock, RandomIds(2), lease=lease, resync=600.0,
        )  # fmt: skip

    return make
