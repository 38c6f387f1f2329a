"""Probes on threads: none of many is ever lost, whatever the moment at which it is first tried."""

from __future__ import annotations

import threading

from app.base.clock import SystemClock
from tests.agent.world import pod
from workers.agent.jobs import ThreadedJobs
from workers.agent.pod import ref
from workers.agent.probes import Probes
from workers.agent.probing import Outcome, Try
from workers.runtime.protocol import ContainerState, PodState, State


class _Counting:
    """Every probe succeeds at its third try."""

    def __init__(self) -> None:
        self.tries: dict[str, int] = {}

    def probe(self, attempt: Try) -> Outcome:
        self.tries[attempt.container_id] = tries = self.tries.get(attempt.container_id, 0) + 1
        return Outcome(tries >= 3, "not yet")


class _Impatient(ThreadedJobs):
    """Runs what is due before whoever asked for it goes on: the worst of all orders."""

    def after(self, key, delay, run, lane="pod"):  # type: ignore[no-untyped-def]
        if delay <= 0:
            run()
        else:
            super().after(key, delay, run, lane)


def test_a_probe_that_is_tried_before_its_asker_goes_on_is_not_lost() -> None:
    clock = SystemClock()
    jobs = _Impatient(clock, {"pod": 1, "probe": 4})
    ready: set[str] = set()
    done = threading.Event()
    asked = {f"p{i}": pod(f"p{i}", readinessProbe={"tcpSocket": {"port": 1}}) for i in range(30)}

    def changed(uid: str) -> None:
        ready.add(uid)
        if len(ready) == len(asked):
            done.set()

    probes = Probes("n1", jobs, clock, _Counting(), lambda *_: None, changed, "test")
    states = {}
    for name, each in asked.items():
        running = ContainerState("web", 0, State.RUNNING, f"{name}-web", "web:1", started_at=clock.now())
        states[name] = PodState(ref(each), "10.0.0.2", True, (running,))
        probes.follow(each, states[name])
    assert done.wait(5)
    for name, each in asked.items():
        assert probes.follow(each, states[name])[f"{name}-web"].ready
    jobs.close()
