"""What the tests of the shell share: a shell on a real store, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.base.ids import RandomIds
from app.bus.work import Work
from app.objects.change import Interest, Object, ReadView, Trace, create, key_of, update
from app.store.store import Committed, Store
from app.store.view import View
from app.store.work import WorkLedger
from tests.clock import HandClock
from workers.reconcile.plan import Plan, Role
from workers.reconcile.shell import Ran, Reconciler


class World:
    """A store, and the objects in it as a newcomer would read them."""

    def __init__(self, store: Store, ledger: WorkLedger, clock: HandClock) -> None:
        self.store = store
        self.ledger = ledger
        self.clock = clock

    def put(self, resource: str, obj: Object) -> Object:
        result = self.store.commit(
            [create(resource, obj)], actor="user", trace=Trace("t"), now=self.clock.now()
        )[0]
        assert isinstance(result, Committed)
        found = self.view().get(resource, key_of(obj))
        assert found is not None
        return found

    def change(self, obj: Object) -> None:
        """The object is now so; its kind's resource is told by its name."""
        resource = f"{obj['kind'].lower()}s"
        write = update(resource, obj)
        (result,) = self.store.commit([write], actor="user", trace=Trace("t"), now=self.clock.now())
        assert isinstance(result, Committed)

    def view(self) -> View:
        view = View(self.store)
        view.catch_up()
        return view

    def shell(
        self,
        plan: Callable[[ReadView, str, float], Plan],
        worker: str = "w1",
        store: Any = None,
        webhooks: Any = None,
    ) -> Reconciler:
        role = Role(
            "toy", plan, (Interest("configmaps", lambda c, v: [c.key]),), lambda v: v.keys("configmaps")
        )
        return Reconciler(
            store or self.store, View(self.store), self.ledger, [role], self.clock, RandomIds(5), worker=worker,
            webhooks=webhooks,
        )  # fmt: skip

    def again(self, plan: Callable[[ReadView, str, float], Plan]) -> Ran:
        """Run what has fallen due meanwhile."""
        self.ledger.sweep(self.clock.now())
        return self.shell(plan).run("toy", ["default/a"])

    def run(self, plan: Callable[[ReadView, str, float], Plan], *keys: str) -> Ran:
        """Queue the keys and run them."""
        self.ledger.enqueue([Work("toy", key, Trace("t", 1)) for key in keys], self.clock.now())
        return self.shell(plan).run("toy", keys)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1_000_000.0)


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    return World(store, WorkLedger(store, RandomIds(1)), clock)
