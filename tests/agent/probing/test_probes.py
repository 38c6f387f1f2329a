"""What probes do to a container's health, and that none of many is ever lost."""

from __future__ import annotations

import threading
from typing import Any

from app.base.clock import SystemClock
from app.objects.change import Object
from tests.agent.world import pod
from tests.clock import HandClock
from workers.agent.deciding.decide import Health
from workers.agent.jobs import Jobs, SteppedJobs, ThreadedJobs
from workers.agent.pod import ref
from workers.agent.probing import Done, Outcome, Try
from workers.agent.probing.probes import Probes, Remark
from workers.runtime.protocol import ContainerState, PodState, State


class _Counting:
    """Every probe succeeds at its third try."""

    def __init__(self) -> None:
        self.tries: dict[str, int] = {}

    def schedule(self, jobs: Jobs) -> Jobs:
        return jobs

    def probe(self, attempt: Try, done: Done) -> None:
        self.tries[attempt.container_id] = tries = self.tries.get(attempt.container_id, 0) + 1
        done(Outcome(tries >= 3, "not yet"))

    def close(self) -> None:
        return


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


class _Told:
    """Answers each probe as it is told to: by the path of an httpGet. `waiting`: tries without an answer yet."""

    def __init__(self) -> None:
        self.answers: dict[str, Outcome | None] = {}
        self.tries: list[str] = []
        self.waiting: list[Done] = []

    def schedule(self, jobs: Jobs) -> Jobs:
        return jobs

    def probe(self, attempt: Try, done: Done) -> None:
        path = attempt.handler["httpGet"]["path"]
        self.tries.append(path)
        answer = self.answers.get(path, Outcome(True))
        if answer is None:
            self.waiting.append(done)
        else:
            done(answer)

    def close(self) -> None:
        return


class _Node:
    """One container whose probes are stepped by hand."""

    def __init__(self, **asked: Any) -> None:
        self.clock, self.prober = HandClock(), _Told()
        self.jobs = SteppedJobs(self.clock)
        self.remarks: list[Remark] = []
        self.pod = pod(**{kind: self._with_path(kind, probe) for kind, probe in asked.items()})
        self.probes = self._started()
        running = ContainerState("web", 0, State.RUNNING, "c1", "web:1", started_at=self.clock.now())
        self.state: PodState | None = PodState(ref(self.pod), "10.0.0.2", True, (running,))
        self.follow()

    @staticmethod
    def _with_path(kind: str, probe: Object) -> Object:
        return {"httpGet": {"port": 80, "path": kind.removesuffix("Probe")}, **probe}

    def _started(self) -> Probes:
        def told(pod: Object, remark: Remark) -> None:
            self.remarks.append(remark)

        return Probes("n1", self.jobs, self.clock, self.prober, told, lambda uid: None, "test")

    def follow(self) -> Health:
        return self.probes.follow(self.pod, self.state).get("c1", Health())

    def restart_agent(self) -> None:
        self.jobs = SteppedJobs(self.clock)
        self.probes = self._started()

    def pass_time(self, seconds: float, step: float = 0.25) -> Health:
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self.clock.move(step)
            self.jobs.run_due()
        return self.follow()

    def answer(self, **said: Outcome | None) -> None:
        self.prober.answers.update(said)


EACH_SECOND = {"periodSeconds": 1, "failureThreshold": 2}
BAD = Outcome(False, "bad")


def test_a_failing_liveness_probe_asks_for_an_end_with_its_own_grace() -> None:
    node = _Node(livenessProbe={**EACH_SECOND, "terminationGracePeriodSeconds": 7})
    node.answer(liveness=BAD)
    assert node.pass_time(1.5).unhealthy == ""
    health = node.pass_time(1)
    assert (health.unhealthy, health.grace) == ("Container web failed liveness probe, will be restarted", 7.0)
    tried = len(node.prober.tries)
    node.pass_time(5)
    assert len(node.prober.tries) == tried


def test_nothing_else_is_tried_before_a_container_has_started() -> None:
    node = _Node(startupProbe={"periodSeconds": 1}, livenessProbe=EACH_SECOND, readinessProbe=EACH_SECOND)
    node.answer(startup=BAD)
    assert not node.pass_time(2).started
    assert set(node.prober.tries) == {"startup"}
    node.answer(startup=Outcome(True))
    health = node.pass_time(3)
    assert (health.started, health.ready) == (True, True)
    node.prober.tries.clear()
    node.pass_time(2)
    assert set(node.prober.tries) == {"liveness", "readiness"}


def test_of_a_pod_that_is_deleted_only_readiness_is_still_tried() -> None:
    node = _Node(livenessProbe=EACH_SECOND, readinessProbe=EACH_SECOND)
    node.answer(liveness=None)
    node.pass_time(2)
    node.pod = {**node.pod, "metadata": {**node.pod["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    node.follow()
    for done in node.prober.waiting:
        done(BAD)
    node.answer(liveness=BAD, readiness=BAD)
    node.prober.tries.clear()
    health = node.pass_time(3)
    assert set(node.prober.tries) == {"readiness"}
    assert (health.ready, health.unhealthy) == (False, "")


def test_users_are_told_in_kubelets_words() -> None:
    node = _Node(livenessProbe={**EACH_SECOND, "failureThreshold": 9})
    for outcome in (BAD, Outcome(False, "no engine", unknown=True), Outcome(True, "moved", warning=True)):
        node.answer(liveness=outcome)
        node.pass_time(1)
    assert [(remark.reason, remark.message) for remark in node.remarks] == [
        ("Unhealthy", "Liveness probe failed: bad"),
        ("Unhealthy", "Liveness probe errored and resulted in unknown state: no engine"),
        ("ProbeWarning", "Liveness probe warning: moved"),
    ]


def test_what_could_not_be_tried_changes_nothing() -> None:
    node = _Node(livenessProbe=EACH_SECOND, readinessProbe=EACH_SECOND)
    assert node.pass_time(1).ready
    node.answer(liveness=Outcome(False, unknown=True), readiness=Outcome(False, unknown=True))
    health = node.pass_time(10)
    assert (health.ready, health.unhealthy) == (True, "")


def test_what_was_known_survives_the_agent() -> None:
    node = _Node(startupProbe={"periodSeconds": 1}, readinessProbe=EACH_SECOND)
    node.pass_time(2)
    status = {"name": "web", "containerID": "test://c1", "ready": True, "started": True}
    node.pod = {**node.pod, "status": {"containerStatuses": [status]}}
    node.answer(startup=BAD, readiness=BAD)
    node.restart_agent()
    health = node.follow()
    assert (health.started, health.ready) == (True, True)
    assert not node.pass_time(3).ready


def test_setting_the_machine_s_clock_neither_hurries_a_probe_nor_holds_it_up() -> None:
    class Jumping(HandClock):
        jumped = 0.0

        def now(self) -> float:
            return super().now() + self.jumped

    node = _Node(livenessProbe=EACH_SECOND)
    clock = Jumping(node.clock.at)
    node.clock = node.jobs._clock = node.probes._clock = clock
    for jump in (86400.0, -86400.0):
        clock.jumped = jump
        node.prober.tries.clear()
        began = clock.monotonic()
        while clock.monotonic() < began + 5:
            clock.move(0.25)
            node.jobs._clock = HandClock(clock.at)
            node.jobs.run_due()
        assert 4 <= len(node.prober.tries) <= 6


def test_a_result_that_comes_after_its_container_ended_means_nothing() -> None:
    node = _Node(livenessProbe={"periodSeconds": 1, "failureThreshold": 1})
    node.answer(liveness=None)
    node.pass_time(1.5)
    node.state = None
    node.follow()
    node.prober.waiting[0](BAD)
    assert node.remarks == []
    assert node.pass_time(5).unhealthy == ""
    assert len(node.prober.tries) == 1
