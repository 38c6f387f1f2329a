"""Who does what when: jobs with keys, each at a due time, never two of one key at once.

An agent's work is a set of small jobs: one per pod, one per probe, one for the exchange. A job asked for while
it runs runs once more afterwards; a job asked for twice runs once, at the earlier time. So whoever learns
something just asks for the job, and need not know what else is under way.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol

from app.base.clock import Clock
from workers.agent.lanes import Lane, Run, guarded


class Jobs(Protocol):
    """Where an agent puts its work."""

    def after(self, key: Hashable, delay: float, run: Run, lane: str = "pod") -> None:
        """Run `run` in `delay` seconds at the latest. An earlier time asked for under the same key stands."""
        ...

    def cancel(self, key: Hashable) -> None:
        """Forget what is due under `key`; what runs goes on."""
        ...

    def beside(self, run: Run) -> None:
        """Run something long, such as a hook or a pull, in a thread of its own."""
        ...


@dataclass(slots=True)
class _Job:
    run: Run
    lane: str
    due: float | None = None
    running: bool = False
    queued: bool = False


class SteppedJobs:
    """Jobs in one thread, run when told to, on a clock that a test may move."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[Hashable, tuple[float, int, Run]] = {}
        self._number = itertools.count()

    def after(self, key: Hashable, delay: float, run: Run, lane: str = "pod") -> None:
        due = self._clock.now() + max(0.0, delay)
        known = self._jobs.get(key)
        if known is None or due < known[0]:
            self._jobs[key] = (due, next(self._number), run)

    def cancel(self, key: Hashable) -> None:
        self._jobs.pop(key, None)

    def beside(self, run: Run) -> None:
        run()

    def next_due(self) -> float | None:
        """When the next job is due (`Clock.now` time), or None."""
        return min((due for due, _, _ in self._jobs.values()), default=None)

    def run_due(self) -> int:
        """Run the jobs that are due now, the earliest first, and those that become due by that. Returns how
        many ran."""
        ran = 0
        while self._jobs:
            key = min(self._jobs, key=lambda k: self._jobs[k][:2])
            due, _, run = self._jobs[key]
            if due > self._clock.now():
                break
            del self._jobs[key]
            run()
            ran += 1
        return ran


class ThreadedJobs:
    """Jobs on a few threads: one that watches the time, and those of each lane.

    Args:
        lanes: how many threads each lane may have. They are started when needed.
    """

    def __init__(self, clock: Clock, lanes: dict[str, int]) -> None:
        self._clock = clock
        self._lanes = {name: Lane(name, threads) for name, threads in lanes.items()}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._jobs: dict[Hashable, _Job] = {}
        self._heap: list[tuple[float, int, Hashable]] = []
        self._number = itertools.count()
        self._closed = False
        self._timer = threading.Thread(target=self._watch, name="agent-timer", daemon=True)
        self._timer.start()

    def after(self, key: Hashable, delay: float, run: Run, lane: str = "pod") -> None:
        due = self._clock.monotonic() + max(0.0, delay)
        with self._lock:
            if self._closed:
                return
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job(run, lane)
            job.run, job.lane = run, lane
            if job.queued or (job.due is not None and job.due <= due):
                return
            job.due = due
            if delay <= 0 and not job.running:
                self._submit(key, job)
                return
            heapq.heappush(self._heap, (due, next(self._number), key))
            if self._heap[0][2] == key:
                self._changed.notify()

    def cancel(self, key: Hashable) -> None:
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return
            job.due = None
            if not job.running and not job.queued:
                del self._jobs[key]

    def beside(self, run: Run) -> None:
        with self._lock:
            if self._closed:
                return
        threading.Thread(target=guarded, args=(run,), name="agent-beside", daemon=True).start()

    def close(self, wait: bool = True) -> None:
        """Start nothing more. With `wait`, return once what runs has ended."""
        with self._lock:
            self._closed = True
            self._changed.notify()
        for lane in self._lanes.values():
            lane.close()
        if wait:
            self.join(self._lanes)

    def join(self, lanes: Iterable[str], within: float | None = None) -> None:
        """Once closed: return when what runs in these lanes has ended, or after `within` seconds."""
        until = None if within is None else self._clock.monotonic() + within
        for name in lanes:
            for thread in self._lanes[name].threads:
                thread.join(None if until is None else max(0.0, until - self._clock.monotonic()))

    def _submit(self, key: Hashable, job: _Job) -> None:
        """With the lock held: hand the job to its lane."""
        job.queued = True
        job.due = None
        self._lanes[job.lane].submit(lambda: self._run(key, job))

    def _run(self, key: Hashable, job: _Job) -> None:
        with self._lock:
            job.queued = False
            job.running = True
        guarded(job.run)
        with self._lock:
            job.running = False
            if self._closed:
                return
            if job.due is None:
                if self._jobs.get(key) is job:
                    del self._jobs[key]
            elif job.due <= self._clock.monotonic():
                self._submit(key, job)

    def _watch(self) -> None:
        with self._lock:
            while not self._closed:
                now = self._clock.monotonic()
                while self._heap and self._heap[0][0] <= now:
                    due, _, key = heapq.heappop(self._heap)
                    job = self._jobs.get(key)
                    # A job that runs is submitted again by its end; an entry whose time was changed is void.
                    if job is not None and job.due == due and not job.running and not job.queued:
                        self._submit(key, job)
                self._changed.wait(self._heap[0][0] - now if self._heap else None)
