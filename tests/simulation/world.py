"""A whole control plane in one thread: real Valkey, simulated nodes, and everything else from a seed."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.base.ids import RandomIds
from app.base.settings import Settings
from app.registry.bootstrap import bootstrap
from app.registry.registry import Registry
from app.store.store import Store
from app.store.view import View
from tests.clock import HandClock
from tests.simulation import volumes
from tests.simulation.chance import Chance
from tests.simulation.control import Died, Ledgered, Worker
from tests.simulation.invariants import Watcher, converged
from tests.simulation.mail import Faults, Mail
from tests.simulation.nodes import Node
from tests.simulation.operators import Operator
from tests.simulation.users import User
from workers.boot import all_roles

SETTINGS = Settings(node_grace=12.0, exchange=3.0, unreachable_toleration=10, service_cidr="10.96.0.0/24")


class World:
    """Everything that happens, happens in `step`."""

    def __init__(self, url: str, seed: int) -> None:
        self.chance = Chance(seed)
        self.clock = HandClock()
        self.faults = Faults()
        self.ids = RandomIds(seed)
        self.acknowledged: list[int] = []
        self._busy: list[Worker] = []
        self._within = False
        # How much people do.
        self._zeal = self.chance.choice([3, 3, 10])
        self.told: deque[str] = deque(maxlen=60)
        self.folder = Path(tempfile.mkdtemp(prefix="bp-sim-"))
        self.settings = replace(SETTINGS, cluster=f"simulation-{seed}", state_dir=self.folder)
        self._urls = url
        self.store = Store.connect(url, self.settings.cluster, log_length=1_000_000)
        self.store.redis.delete(*(self.store.redis.keys(self.store.key("*")) or ["none"]))
        self.mail = Mail(self.chance, self.faults)
        self.registry = self._api(lambda: None)
        bootstrap(self.registry, "127.0.0.1", 6443)
        self.watcher = Watcher(self.store, self.acknowledged)
        operator = Operator(self._api(self._overtaken), self.chance)
        self.user = User(self.registry, self.chance, operator)
        if self.chance.happens(0.4):
            self.user.make_sets()
        self._other = Operator(self._api(lambda: None), self.chance)
        self.roles = all_roles(self.settings)
        self._workers_made = 0
        self.workers = [self._worker() for _ in range(3)]
        self.nodes = [Node(f"n{i}", self.registry, self.clock, self.ids, self.settings) for i in range(3)]

    def _api(self, meanwhile: Callable[[], None]) -> Registry:
        """A process of the API. `meanwhile` happens between a decision of it and its commit."""
        calm = Faults(0, 0, 0, 0)
        ledgered = Ledgered(self.store, self.chance, calm, self.acknowledged, meanwhile)
        made = Registry(self.store, View(self.store, keep=False), self.clock, self.ids, self.settings)
        made.commit = lambda request, writes: ledgered.commit(  # type: ignore[method-assign]
            writes, actor=request.user, trace=_trace(request), now=self.clock.now()
        )
        return made

    def _overtaken(self) -> None:
        """Between the decision and the commit of an operator, workers and nodes go on, and so does another operator."""
        if self._busy or self._within or not self.chance.happens(self.faults.overtake):
            return
        self._within = True
        try:
            for what in self.chance.choices(["operator", "dispatch", "work", "node"], [2, 2, 4, 3], k=4):
                self._happen(what)
        finally:
            self._within = False

    def _worker(self) -> Worker:
        self._workers_made += 1
        return Worker(
            f"w{self._workers_made}", self.store, self.roles, self.clock, self.ids, self.chance, self.faults,
            self.mail, self.acknowledged, self._meanwhile,
        )  # fmt: skip

    def step(self) -> None:
        """One thing happens, and what must hold is checked."""
        happening = self.chance.choices(
            ["user", "dispatch", "work", "chores", "node", "nudge", "time", "long", "agent dies", "worker dies", "crash", "forget"],
            [self._zeal, 20, 30, 6, 25, 10, 12, 0.5, 0.4, 0.4, 0.4, 0.3],
        )[0]  # fmt: skip
        self._happen(happening)
        self.watcher.check()

    def _meanwhile(self) -> None:
        """Between the decision and the commit of one worker, others go on; even so long that its lease ends."""
        if len(self._busy) > 1 or not self.chance.happens(self.faults.overtake):
            return
        for what in self.chance.choices(
            ["user", "dispatch", "work", "chores", "node", "long"], [2, 4, 6, 2, 4, 1], k=4
        ):
            self._happen(what)
        self.watcher.check()

    def _idle(self) -> list[int]:
        """The workers that are in the middle of nothing."""
        return [index for index, worker in enumerate(self.workers) if worker not in self._busy]

    def _happen(self, what: str) -> None:
        chance = self.chance
        match what:
            case "user":
                self.told.append(f"{self.clock.now():.2f} user {self.user.act()}")
            case "operator":
                self.told.append(f"{self.clock.now():.2f} meanwhile another {self._other.act()}")
            case "dispatch":
                self.workers[chance.choice(self._idle())].dispatcher.step()
            case "work" if self.mail.work:
                self._work(chance.choice(self._idle()))
            case "chores":
                self.workers[chance.choice(self._idle())].chores()
            case "node":
                chance.choice(self.nodes).step()
            case "nudge" if self.mail.nudges:
                name = self.mail.next_nudge()
                next(node for node in self.nodes if node.name == name).step()
            case "time":
                self.clock.move(chance.choice([0.01, 0.1, 0.5, 1.0]))
            case "long":
                # So long that leases end and silent nodes count as lost.
                self.told.append(f"{self.clock.now():.2f} 15 s pass")
                self.clock.move(15.0)
            case "agent dies":
                node = chance.choice(self.nodes)
                self.told.append(f"{self.clock.now():.2f} agent {node.name} starts anew")
                node.restart_agent()
            case "worker dies":
                self._replace_worker(chance.choice(self._idle()))
            case "crash":
                self._crash()
            case "forget":
                self.mail.work.clear()
                self.mail.nudges.clear()

    def _work(self, index: int) -> None:
        role, keys = self.mail.next_work()
        worker = self.workers[index]
        self._busy.append(worker)
        try:
            worker.work(role, keys)
        except Died:
            self.told.append(f"{self.clock.now():.2f} {worker.name} died in {role} {keys}")
            self._replace_worker(index)
        finally:
            self._busy.remove(worker)

    def _replace_worker(self, index: int) -> None:
        self.workers[index] = self._worker()

    def _crash(self) -> None:
        node = self.chance.choice(self.nodes)
        for pod in self.watcher.view.on_node(node.name):
            if node.crash(pod["metadata"]["uid"], "main"):
                self.told.append(f"{self.clock.now():.2f} a container of {pod['metadata']['name']} died")
                return

    def heal(self, rounds: int = 400) -> list[str]:
        """No more faults and no more users: let everything come to rest. What is still wrong after so many rounds."""
        self.faults.lose = self.faults.double = self.faults.crash = self.faults.overtake = 0.0
        self.user.settle()
        wrong: list[str] = []
        quiet = 0
        for _ in range(rounds):
            for worker in self.workers:
                worker.dispatcher.step()
                worker.chores()
            for _ in range(200):
                if not self.mail.work:
                    break
                self._work(self.chance.randrange(len(self.workers)))
            self.mail.nudges.clear()
            for node in self.nodes:
                node.step()
            self.watcher.check()
            self.clock.move(0.5)
            wrong = converged(self.watcher.view) + self.watcher.jobs.converged(self.watcher.view)
            wrong += self.watcher.promises.converged(self.watcher.view)
            wrong += [p for node in self.nodes for p in node.orphans(self.watcher.view)]
            wrong += volumes.converged(self.watcher.view, self.folder / "volumes")
            quiet = 0 if wrong or self.mail.work else quiet + 1
            if quiet > 5:
                break
        for worker in self.workers:
            worker.view.catch_up()
            worker.check_nothing_was_changed_in_place()
        return wrong

    def close(self) -> None:
        self.store.redis.delete(*(self.store.redis.keys(self.store.key("*")) or ["none"]))
        self.store.close()
        shutil.rmtree(self.folder)


def _trace(request):
    from app.objects.change import Trace

    return Trace(request.trace)


class Failed(AssertionError):
    """A seed under which something did not hold."""


def simulate(url: str, seed: int, steps: int = 400) -> None:
    """Run one seed.

    Raises:
        Failed: with what did not hold, what led there, and how to run it again.
    """
    world = World(url, seed)
    done = 0
    try:
        while done < steps:
            world.step()
            done += 1
        wrong = world.heal()
        if wrong:
            raise AssertionError("not as declared in the end: " + "; ".join(wrong[:8]))
    except Exception as exc:
        script = "\n  ".join(world.told)
        raise Failed(
            f"seed {seed} failed in step {done}: {exc}\n  {script}\nrun it again: python -m tests.simulation --seed {seed} --steps {steps}"
        ) from exc
    finally:
        world.close()
