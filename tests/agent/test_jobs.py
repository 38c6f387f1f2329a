"""Jobs on threads: single flight, due times, no lost wake-ups."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from app.base.clock import SystemClock
from workers.agent.jobs import ThreadedJobs


@pytest.fixture
def jobs() -> Iterator[ThreadedJobs]:
    made = ThreadedJobs(SystemClock(), {"pod": 4, "probe": 1})
    yield made
    made.close()


def test_a_job_asked_for_while_it_runs_runs_once_more(jobs: ThreadedJobs) -> None:
    begun, go, ran, done = threading.Event(), threading.Event(), [], threading.Event()

    def run() -> None:
        ran.append(1)
        begun.set()
        assert go.wait(5)
        if len(ran) == 2:
            done.set()

    jobs.after("k", 0, run)
    assert begun.wait(5)
    for _ in range(5):
        jobs.after("k", 0, run)
    go.set()
    assert done.wait(5)
    jobs.close()
    assert len(ran) == 2


def test_one_key_never_runs_twice_at_a_time_and_no_wake_up_is_lost(jobs: ThreadedJobs) -> None:
    lock, problems = threading.Lock(), []
    asked = handled = 0
    finished = threading.Event()

    def run() -> None:
        nonlocal handled
        if not lock.acquire(blocking=False):
            problems.append("two at a time")
            return
        handled = asked
        lock.release()
        if handled == 2000:
            finished.set()

    for number in range(1, 2001):
        asked = number
        jobs.after("k", 0 if number % 3 else 0.0005, run)
    assert finished.wait(5)
    assert problems == []


def test_jobs_come_when_they_are_due_and_the_earlier_time_stands(jobs: ThreadedJobs) -> None:
    clock, at, done = SystemClock(), {}, threading.Barrier(3)

    def note(name: str) -> None:
        at[name] = clock.monotonic()
        done.wait(5)

    began = clock.monotonic()
    jobs.after("late", 60, lambda: note("late"))
    jobs.after("late", 0.1, lambda: note("late"))
    jobs.after("soon", 0.02, lambda: note("soon"))
    jobs.after("soon", 60, lambda: note("soon"))
    done.wait(5)
    assert at["soon"] - began >= 0.02
    assert at["late"] - began >= 0.1


def test_a_cancelled_job_does_not_run(jobs: ThreadedJobs) -> None:
    ran, after = [], threading.Event()
    jobs.after("k", 0.02, lambda: ran.append(1))
    jobs.cancel("k")
    jobs.after("other", 0.05, after.set)
    assert after.wait(5)
    assert ran == []


def test_a_job_that_fails_does_not_end_its_lane(jobs: ThreadedJobs) -> None:
    after = threading.Event()
    jobs.after("bad", 0, lambda: 1 / 0, "probe")
    jobs.after("good", 0, after.set, "probe")
    assert after.wait(5)


def test_a_thread_that_the_machine_refuses_costs_no_job_and_ends_nothing(
    jobs: ThreadedJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = threading.Thread.start, threading.Event()

    def refuse_once(thread: threading.Thread) -> None:
        if not refused.is_set():
            refused.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    ran: list[str] = []
    first, second = threading.Event(), threading.Event()
    monkeypatch.setattr(threading.Thread, "start", refuse_once)
    jobs.after("first", 0.001, lambda: (ran.append("first"), first.set()))
    assert refused.wait(5)
    jobs.after("second", 0.001, lambda: (ran.append("second"), second.set()))
    assert first.wait(5)
    assert second.wait(5)
    jobs.after("first", 0, lambda: ran.append("first"))
    jobs.close()
    assert sorted(set(ran)) == ["first", "second"]


def test_a_lane_runs_no_more_at_a_time_than_it_has_threads_and_reuses_them(jobs: ThreadedJobs) -> None:
    together, most, lock, done = 0, 0, threading.Lock(), threading.Semaphore(0)
    ran_on = set()

    def run() -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
            ran_on.add(threading.current_thread().name)
        with lock:
            together -= 1
        done.release()

    for key in range(200):
        jobs.after(key, 0, run)
    for _ in range(200):
        assert done.acquire(timeout=5)
    assert most <= 4
    assert len(ran_on) <= 4


def test_closed_jobs_begin_nothing_more_in_a_lane_or_beside() -> None:
    made = ThreadedJobs(SystemClock(), {"pod": 1})
    begun, go, ran = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        assert go.wait(5)
        ran.append("first")

    made.after("first", 0, first)
    made.after("waits for the thread", 0, lambda: ran.append("second"))
    assert begun.wait(5)
    made.close(wait=False)
    made.after("late", 0, lambda: ran.append("late"))
    made.beside(lambda: ran.append("beside"))
    made.join(["pod"], 0.0)
    assert ran == []
    go.set()
    made.close()
    assert ran == ["first"]


def test_what_waits_for_long_does_not_keep_the_process_from_ending() -> None:
    program = """
import threading
from app.base.clock import SystemClock
from workers.agent.jobs import ThreadedJobs
jobs, begun = ThreadedJobs(SystemClock(), {"stop": 1}), threading.Event()
jobs.after("stop", 0, lambda: (begun.set(), threading.Event().wait()), "stop")
assert begun.wait(5)
jobs.close(wait=False)
jobs.join(["stop"], 0.01)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=20, check=False).returncode == 0
