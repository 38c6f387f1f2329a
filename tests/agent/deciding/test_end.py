"""How containers end: hooks, signals, order, and a grace period that is shortened."""

from __future__ import annotations

import pytest

from app.objects.change import Object
from tests.agent.model import START, Script, asked
from workers.agent.deciding.decide import decide
from workers.agent.deciding.end import teardown
from workers.agent.deciding.step import Action, PreStop, Stop
from workers.agent.deciding.stop import Drain
from workers.agent.memory import Ending, PodMemory
from workers.agent.pod import ref
from workers.runtime.protocol import ContainerState, PodState, State

POD = asked(
    [("init", False), ("one", True), ("two", True)],
    ["web", "aux"],
    {name: Script(bows=name in ("aux", "one")) for name in ("init", "one", "two", "web", "aux")},
)


def running(*names: str) -> PodState:
    return PodState(
        ref(POD),
        "10.0.0.1",
        True,
        tuple(ContainerState(n, 0, State.RUNNING, f"{n}-0", "i", started_at=START) for n in names),
    )


def signalled(since: float, period: float, hook: str = "") -> Ending:
    return Ending(since, period, hook, signalled=True)


def shown(actions: tuple[Action, ...]) -> list[tuple[str, list[str], float]]:
    found = []
    for action in actions:
        assert isinstance(action, PreStop | Stop)
        left = action.grace if isinstance(action, Stop) else action.period
        found.append((type(action).__name__, [t.name for t in action.targets], left))
    return found


def test_a_pods_end_begins_with_all_hooks_and_the_signals_of_those_without() -> None:
    decision = teardown(POD, running("one", "two", "web", "aux"), PodMemory(), START, 10)
    assert shown(decision.actions) == [("PreStop", ["one", "aux"], 10), ("Stop", ["web"], 10)]
    assert all(action.of_pod for action in decision.actions if isinstance(action, PreStop | Stop))
    assert decision.wake_at == START + 10


@pytest.mark.parametrize(
    ("names", "endings", "after", "expected"),
    [
        # A hook that runs is waited for.
        (("web", "aux"), {"aux-0": Ending(START, 10, "running"), "web-0": signalled(START, 10)}, 3.0, []),
        (("aux",), {"aux-0": Ending(START, 10, "done")}, 3.0, [("Stop", ["aux"], 7)]),
        # Until the period is over.
        (("aux",), {"aux-0": Ending(START, 10, "running")}, 10.0, [("Stop", ["aux"], 2)]),
        # Sidecars wait for what they serve, the first for the last.
        (("one", "two", "web"), {"web-0": signalled(START, 10), "one-0": Ending(START, 10, "done")}, 3.0, []),
        (("one", "two"), {"one-0": Ending(START, 10, "done")}, 3.0, [("Stop", ["two"], 7)]),
        (("one", "two"), {"one-0": Ending(START, 10, "done"), "two-0": signalled(START, 10)}, 4.0, []),
        (("one",), {"one-0": Ending(START, 10, "done")}, 9.0, [("Stop", ["one"], 2)]),
        (("one", "init"), {"one-0": Ending(START, 10, "done"), "init-0": signalled(START, 10)}, 1.0, []),
        # When the period is over, all get theirs.
        (
            ("one", "two", "web"),
            {"web-0": signalled(START, 10), "one-0": Ending(START, 10, "running")},
            10.0,
            [("Stop", ["one", "two"], 2)],
        ),
    ],
)
def test_each_gets_its_signal_when_its_turn_has_come(
    names: tuple[str, ...],
    endings: dict[str, Ending],
    after: float,
    expected: list[tuple[str, list[str], float]],
) -> None:
    memory = PodMemory(endings=endings, ending=(START, 10))
    decision = teardown(POD, running(*names), memory, START + after, 10)
    assert shown(decision.actions) == expected


def test_without_a_grace_period_all_are_killed_at_once_and_no_hook_runs() -> None:
    decision = teardown(POD, running("one", "two", "web", "aux"), PodMemory(), START, 0)
    assert shown(decision.actions) == [("Stop", ["one", "two", "web", "aux"], 0)]


def test_a_shorter_period_begins_anew_and_signals_again_what_is_still_there() -> None:
    endings = {"web-0": signalled(START, 30), "aux-0": signalled(START, 30, "done")}
    memory = PodMemory(endings=endings, ending=(START, 30))
    state = running("web", "aux", "two")
    assert teardown(POD, state, memory, START + 5, 30).actions == ()
    assert shown(teardown(POD, state, memory, START + 5, 4).actions) == [("Stop", ["web", "aux"], 4)]
    assert shown(teardown(POD, state, memory, START + 5, 0).actions) == [("Stop", ["web", "aux", "two"], 0)]
    # A longer one does not lengthen it.
    assert teardown(POD, state, memory, START + 5, 60).actions == ()


def test_a_deleted_pod_is_removed_when_nothing_runs_and_not_again_too_soon() -> None:
    meta = {"deletionTimestamp": "2027-01-15T08:00:30Z", "deletionGracePeriodSeconds": 30}
    deleted: Object = {**POD, "metadata": {**POD["metadata"], **meta}}
    memory = PodMemory(removal_retry_at=START + 1)
    waits = decide(deleted, running(), memory, {}, START, Drain())
    assert (waits.actions, waits.wake_at) == ((), START + 1)
    assert decide(deleted, running(), memory, {}, START + 1, Drain()).actions


def test_a_shorter_period_holds_while_a_hook_runs() -> None:
    memory = PodMemory(endings={"aux-0": Ending(START, 30, "running")}, ending=(START, 30))
    decision = teardown(POD, running("aux"), memory, START + 5, 4)
    assert shown(decision.actions) == [("PreStop", ["aux"], 4)]
    # Once that is noted, the hook has what is left of it.
    memory = PodMemory(endings={"aux-0": Ending(START + 5, 4, "running")}, ending=(START + 5, 4))
    assert teardown(POD, running("aux"), memory, START + 6, 4).wake_at == START + 9
    assert shown(teardown(POD, running("aux"), memory, START + 9, 4).actions) == [("Stop", ["aux"], 2)]
