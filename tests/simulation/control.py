"""A control worker of a simulated world, which may die at any commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from app.base.ids import Ids
from app.bus.dispatcher import Dispatcher
from app.bus.nudges import Nudger
from app.bus.sweeper import Sweeper
from app.objects.change import Trace, Write
from app.store.agents import AgentState
from app.store.feed import Feed
from app.store.store import Committed, Fence, Rejected, Store, Stored
from app.store.view import View
from app.store.work import WorkLedger
from tests.clock import HandClock
from tests.simulation.chance import Chance
from tests.simulation.mail import Faults, Mail
from workers.reconcile.plan import Role
from workers.reconcile.shell import Reconciler

LEASE = 10.0


class Died(BaseException):
    """The worker's process ended here; nothing after this instruction happens."""


class Ledgered:
    """A store that remembers which writes it acknowledged, and may let its worker die around a commit.

    Args:
        meanwhile: whatever else happens between a decision and its commit.
    """

    def __init__(
        self,
        store: Store,
        chance: Chance,
        faults: Faults,
        acknowledged: list[int],
        meanwhile: Callable[[], None],
    ) -> None:
        self._meanwhile = meanwhile
        self._store = store
        self._chance = chance
        self._faults = faults
        self._acknowledged = acknowledged

    def commit(
        self, writes: Sequence[Write], *, actor: str, trace: Trace, now: float, fence: Fence | None = None
    ) -> list[Committed | Rejected]:
        self._meanwhile()
        if not self._chance.happens(self._faults.crash):
            results = self._store.commit(writes, actor=actor, trace=trace, now=now, fence=fence)
            self._acknowledged += [r.revision for r in results if isinstance(r, Committed)]
            return results
        # A pipeline that was cut off: the first writes arrived, the rest never did.
        arrived = writes[: self._chance.randrange(len(writes) + 1)]
        self._store.commit(arrived, actor=actor, trace=trace, now=now, fence=fence)
        raise Died

    def get_many(self, wanted: Sequence[tuple[str, str]]) -> list[Stored | None]:
        return self._store.get_many(wanted)


class Worker:
    """Dispatcher, sweeper and reconciler over one view, as `workers.boot` wires them."""

    def __init__(
        self, name: str, store: Store, roles: Sequence[Role], clock: HandClock, ids: Ids, chance: Chance,
        faults: Faults, mail: Mail, acknowledged: list[int], meanwhile: Callable[[], None],
    ) -> None:  # fmt: skip
        self.name = name
        self.view = View(store)
        self._mail = mail
        ledger = WorkLedger(store, ids, lease=LEASE, lost_after=5.0)
        self.dispatcher = Dispatcher(
            Feed(store, name), self.view, ledger, mail, Nudger(AgentState(store), mail), roles, clock, ids,
            lease=0.0, resync=120.0,
        )  # fmt: skip
        self.sweeper = Sweeper(ledger, mail, clock)
        self._reconciler = Reconciler(
            Ledgered(store, chance, faults, acknowledged, meanwhile),
            self.view,
            ledger,
            roles,
            clock,
            ids,
            worker=name,
        )
        self.dispatcher.start()

    def work(self, role: str, keys: Sequence[str]) -> None:
        """Run a message. Raises Died."""
        self._mail.publish(self._reconciler.run(role, keys).publish)

    def chores(self) -> None:
        self._mail.publish(self._reconciler.settle().publish)
        self.sweeper.step()
        self.dispatcher.take_over()
        self.dispatcher.resync()

    def check_nothing_was_changed_in_place(self) -> None:
        """Whoever plans must not write into the objects of the view, which all plans share."""
        for resource in self.view.resources():
            for record in self.view.records(resource):
                assert record.obj == orjson.loads(record.body), (
                    f"a plan changed {resource} {record.key} in place"
                )
