"""Celery entry point of the control workers: wires real adapters to roles.

    celery -A workers.boot worker --pool solo --queues work

Each process has one view, which its dispatcher, its plans and its Events share. With the `solo` pool a task
runs in the loop that received it, which saves a hand-over; a `prefork` pool gives each child a view of its own.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from celery import Celery, signals
from celery.platforms import SecurityWarning
from kombu.exceptions import OperationalError

from app.base import logs, memory
from app.base.clock import Clock, SystemClock
from app.base.errors import BeanpoleError, StoreUnavailable
from app.base.ids import Ids, RandomIds
from app.base.settings import Settings, load
from app.bus.celery_app import WORK_QUEUE, WORK_TASK, make_app, queue
from app.bus.dispatcher import Dispatcher
from app.bus.loops import Loop, loops_step
from app.bus.nudges import Nudger
from app.bus.publishing import CeleryPublisher
from app.bus.sweeper import Sweeper
from app.client.webhooks import WebhookClient
from app.store.agents import AgentState
from app.store.feed import Feed
from app.store.store import Store
from app.store.usage import UsageState
from app.store.view import View
from app.store.work import WorkLedger
from app.trust import loading, requests
from workers.controllers.signing import Signing
from workers.reconcile.plan import Role
from workers.reconcile.shell import Reconciler

log = logging.getLogger("beanpole.control")

# A dispatcher waits for the log so long at a time, and a stopping worker waits for it. Seconds.
BLOCK = 1.0
# How often a worker looks for what dead ones left, and whether a resync is due. Seconds.
CHORES_EVERY = 5.0


class Control:
    """All that a control worker has, connected when first needed: after the fork, in a pool that forks."""

    def __init__(self, settings: Settings, roles: Sequence[Role], celery: Celery, worker: str) -> None:
        clock: Clock = SystemClock()
        ids: Ids = RandomIds()
        self.worker = worker
        self.clock = clock
        self._chores = -1.0
        self.store = Store.connect(
            settings.redis_url,
            settings.cluster,
            log_length=settings.log_length,
            replica_acks=settings.replica_acks,
        )
        self.view = View(self.store)
        self.ledger = WorkLedger(self.store, ids, lease=settings.lease)
        self.publisher = CeleryPublisher(celery)
        self.sweeper = Sweeper(self.ledger, self.publisher, clock)
        self.reconciler = Reconciler(
            self.store, self.view, self.ledger, roles, clock, ids, worker=worker, settings=settings,
            webhooks=WebhookClient("kube-controller-manager"), measure=UsageState(self.store).of,
        )  # fmt: skip
        self.feed = Feed(self.store, f"{worker}.{os.getpid()}")
        self.dispatcher = Dispatcher(
            self.feed, self.view, self.ledger, self.publisher, Nudger(AgentState(self.store), self.publisher),
            roles, clock, ids, lease=settings.lease, resync=settings.resync,
        )  # fmt: skip

    def work(self, role: str, keys: Sequence[str]) -> None:
        """Run a message's keys, and tell of what came meanwhile."""
        ran = self.reconciler.run(role, keys)
        self.publisher.publish(ran.publish)
        self.sweeper.expect(ran.next_due)

    def loops(self) -> list[Loop]:
        """What runs beside the tasks, each in a thread."""
        return [
            Loop("dispatch", self._dispatch, self.dispatcher.start),
            Loop("sweep", self._sweep, self._begin),
        ]

    def close(self) -> None:
        """Let go of what would only be in the way of others."""
        try:
            self.feed.leave()
        except StoreUnavailable as exc:
            log.debug("left without a word: %s", exc)

    def _dispatch(self) -> None:
        self.dispatcher.step(BLOCK)

    def _begin(self) -> None:
        if self._chores < 0:
            # Our name's former holder is dead, or we would not have it.
            self.ledger.bury(self.worker, self.clock.now())
            self._chores = 0.0

    def _sweep(self) -> None:
        settled = self.reconciler.settle()
        self.publisher.publish(settled.publish)
        pause = self.sweeper.step()
        if (now := self.clock.monotonic()) >= self._chores:
            self._chores = now + CHORES_EVERY
            self.dispatcher.take_over()
            self.dispatcher.resync()
        self.sweeper.wait(pause)


class OneEach:
    """The control of this process: made anew in each forked child (see `app.bus.loops.Host`)."""

    def __init__(self, settings: Settings, roles: Sequence[Role], celery: Celery) -> None:
        self._arguments = (settings, tuple(roles), celery)
        self._control: Control | None = None
        self._pid = 0
        self._worker = f"control@{socket.gethostname()}"

    def called(self, name: str) -> None:
        self._worker = name

    def loops(self) -> list[Loop]:
        return self.control().loops()

    def wake(self) -> None:
        self.control().sweeper.expect(0.0)

    def close(self) -> None:
        self.control().close()

    def control(self) -> Control:
        """Raises StoreUnavailable, or UserError for a Redis that can't be used."""
        if self._control is None or self._pid != os.getpid():
            self._control, self._pid = Control(*self._arguments, self._worker), os.getpid()
        return self._control


def build(settings: Settings, roles: Sequence[Role]) -> Celery:
    """The Celery app of a control worker that plays `roles`."""
    celery = make_app(settings, "beanpole.control")
    celery.conf.task_queues = (queue(WORK_QUEUE),)
    host = OneEach(settings, roles, celery)

    @celery.task(name=WORK_TASK, ignore_result=True)
    def work(role: str, keys: list[str]) -> None:
        try:
            host.control().work(role, keys)
        except (StoreUnavailable, OperationalError) as exc:
            # Nothing is lost by acknowledging the message: the ledger still has the keys.
            log.warning("%s: %d keys are left for later: %s", role, len(keys), exc)

    celery.steps["worker"].add(loops_step(host))
    return celery


def all_roles(settings: Settings) -> tuple[Role, ...]:
    """Every role of a control worker."""
    from workers.controllers.all import roles
    from workers.scheduler.scheduler import ROLE

    return (*roles(settings, signing(settings)), ROLE)


def signing(settings: Settings) -> Signing:
    """What controllers sign with: the keys that the settings name.

    Raises:
        UserError: one of them can't be read.
    """
    trust, authority = loading.load(settings), loading.load_signing_authority(settings)

    def certificate(pem: bytes, usages: Iterable[str], now: float, seconds: int | None) -> bytes:
        assert authority is not None
        return requests.sign(authority, pem, usages, now, seconds)

    return Signing(trust.signer.sign if trust.signer else None, certificate if authority else None, trust.ca)


def make() -> Celery:
    """The app that the environment asks for."""
    settings = load()
    memory.expect_many_objects()
    logs.configure(settings.log_level)
    # Celery has a line for every task; what a task did, the change log says.
    logging.getLogger("celery").setLevel(logging.WARNING)
    return build(settings, all_roles(settings))


def main(arguments: Sequence[str] = ()) -> None:
    """Run a control worker until a signal comes; `arguments` are Celery's, after those that follow from what
    a control worker is."""
    # Celery warns of pickle under root; the messages here are JSON and nothing else is accepted.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    try:
        settings = load()
        celery = make()
    except BeanpoleError as exc:
        sys.exit(f"beanpole worker: {exc}")
    celery.start(
        [
            "--quiet", "worker", "--pool", "solo", "--concurrency", "1", "--queues", WORK_QUEUE, "--without-gossip",
            "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING", "--hostname", f"{settings.worker}@%h", *arguments,
        ]
    )  # fmt: skip


@signals.setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Celery leaves logging alone if somebody answers this signal."""


def __getattr__(name: str) -> Any:
    """`celery -A workers.boot` looks for `app`; importing this module alone connects to nothing."""
    if name == "app":
        globals()["app"] = made = make()
        return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    main()
