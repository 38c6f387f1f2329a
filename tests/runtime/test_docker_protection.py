"""Containers that are to be the last to go when memory runs out, on engines that may and may not see to that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workers.runtime.docker.protection import CONVINCED, Protection
from workers.runtime.protocol import ContainerError, ContainerSpec, ContainerState, State
from workers.runtime.resources import Resources

PROTECTED = ContainerSpec("main", 0, "image", resources=Resources(oom_score_adj=-997))


class Engine:
    """Starts what `refuses` does not: that is told how protected a container is to be, and how many were tried."""

    def __init__(self, refuses: Callable[[int, int], bool], reason: str = "RunContainerError") -> None:
        self._refuses, self._reason = refuses, reason
        # How protected those are that were tried, and those that run.
        self.tried: list[int] = []
        self.running: list[int] = []

    def start(self, spec: ContainerSpec) -> ContainerState:
        wanted = spec.resources.oom_score_adj
        self.tried.append(wanted)
        if self._refuses(wanted, len(self.tried)):
            raise ContainerError(self._reason, "failed")
        self.running.append(wanted)
        return ContainerState(spec.name, 0, State.RUNNING, "id", spec.image)


def start(engine: Engine, many: int) -> None:
    protection = Protection()
    for _ in range(many):
        protection.start(engine.start, PROTECTED)


def test_one_failed_start_leaves_no_later_container_unprotected() -> None:
    engine = Engine(lambda wanted, tried: tried == 1)
    start(engine, 3)
    assert engine.running == [0, -997, -997]


def test_an_engine_that_may_not_protect_is_not_asked_for_it_again_and_again() -> None:
    engine = Engine(lambda wanted, tried: wanted < 0)
    start(engine, CONVINCED + 4)
    assert engine.running == [0] * (CONVINCED + 4)
    assert engine.tried.count(-997) == CONVINCED


def test_an_engine_that_was_seen_to_protect_starts_nothing_without() -> None:
    engine = Engine(lambda wanted, tried: tried == 2)
    protection = Protection()
    protection.start(engine.start, PROTECTED)
    with pytest.raises(ContainerError):
        protection.start(engine.start, PROTECTED)
    assert engine.running == [-997]


def test_what_fails_before_it_is_started_is_not_tried_again() -> None:
    engine = Engine(lambda wanted, tried: True, reason="CreateContainerError")
    with pytest.raises(ContainerError):
        start(engine, 1)
    assert engine.tried == [-997]
