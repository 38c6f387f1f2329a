"""What runs beside Celery's tasks: threads that start and stop with the worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from celery import bootsteps
from kombu.exceptions import OperationalError

from app.base.errors import StoreUnavailable

log = logging.getLogger("beanpole.loops")

# After an error a loop pauses so long, up to that long. Seconds.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
# How long a stopping worker waits for a loop. Seconds.
JOIN = 5.0


@dataclass(frozen=True, slots=True)
class Loop:
    """Something done again and again. `step` waits for its own occasion; `start` comes once before it, and
    again after an error."""

    name: str
    step: Callable[[], object]
    start: Callable[[], object]


class Looper:
    """Runs a loop in a thread. No error ends it: it says so, pauses, and begins anew."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"beanpole-{loop.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def join(self) -> None:
        self._thread.join(JOIN)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        started = False
        while not self._stopping.is_set():
            try:
                if not started:
                    self._loop.start()
                    started = True
                self._loop.step()
                pause = FIRST_PAUSE
            except (StoreUnavailable, OperationalError) as exc:
                log.warning("%s: %s; trying again", self._loop.name, exc)
                started = False
            except Exception:
                log.exception("%s: failed; beginning anew", self._loop.name)
                started = False
            else:
                continue
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


class Host(Protocol):
    """What a worker process runs beside its tasks."""

    def called(self, name: str) -> None:
        """The worker's name, before it starts or forks anything."""
        ...

    def loops(self) -> Sequence[Loop]: ...

    def wake(self) -> None:
        """End what a loop waits for, because it is to stop."""
        ...

    def close(self) -> None:
        """The loops have stopped."""
        ...


def loops_step(host: Host) -> type[bootsteps.StartStopStep]:
    """A step for a Celery worker's blueprint, by which the loops of `host` start and stop with the worker."""

    class Loops(bootsteps.StartStopStep):  # type: ignore[misc]
        requires = ("celery.worker.components:Pool",)

        def __init__(self, worker: Any, **options: Any) -> None:
            super().__init__(worker, **options)
            self._loopers: list[Looper] = []
            host.called(worker.hostname)

        def start(self, worker: Any) -> None:
            self._loopers = [Looper(loop) for loop in host.loops()]
            for looper in self._loopers:
                looper.start()

        def stop(self, worker: Any) -> None:
            for looper in self._loopers:
                looper.stop()
            host.wake()
            for looper in self._loopers:
                looper.join()
            host.close()

    return Loops
