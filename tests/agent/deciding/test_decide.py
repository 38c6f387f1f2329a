"""What is done next for a pod: tables, and convergence from every intermediate state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.objects.change import Object
from tests.agent.world import START, pod
from workers.agent.deciding.containers import Health
from workers.agent.deciding.decide import decide
from workers.agent.deciding.step import (
    Decision,
    RemoveContainer,
    RemovePod,
    StartContainer,
    StartSandbox,
    Stop,
)
from workers.agent.deciding.stop import Drain
from workers.agent.memory import Ending, PodMemory
from workers.agent.pod import ref
from workers.agent.status.pod_status import pod_status
from workers.runtime.protocol import ContainerState, PodState, State


def ran(
    name: str = "web", attempt: int = 0, state: State = State.RUNNING, code: int = 0, at: float = START
) -> ContainerState:
    done = at if state is State.EXITED else 0.0
    return ContainerState(
        name,
        attempt,
        state,
        f"{name}-{attempt}",
        "web:1",
        started_at=at - 1,
        finished_at=done,
        exit_code=code,
    )


def seen(*containers: ContainerState, ready: bool = True, of: Object | None = None) -> PodState:
    return PodState(ref(of or pod()), "10.244.1.2", ready, containers)


def next_steps(asked: Object, state: PodState | None, now: float = START, **more: Any) -> Decision:
    memory = more.pop("memory", None) or PodMemory(started_at=START)
    return decide(asked, state, memory, more.pop("health", {}), now, more.pop("drain", Drain()))


def marked(asked: Object, grace: int = 30) -> Object:
    meta = {
        **asked["metadata"],
        "deletionTimestamp": "2027-01-15T08:00:30Z",
        "deletionGracePeriodSeconds": grace,
    }
    return {**asked, "metadata": meta}


EXITED = State.EXITED


@pytest.mark.parametrize(
    ("policy", "state", "actions"),
    [
        ("Always", None, (StartSandbox(),)),
        ("Always", seen(), (StartContainer("web", 0),)),
        ("Always", seen(ran(state=State.CREATED)), (StartContainer("web", 0),)),
        ("Always", seen(ran()), ()),
        ("Always", seen(ran(state=EXITED)), (StartContainer("web", 1),)),
        ("OnFailure", seen(ran(state=EXITED)), ()),
        ("OnFailure", seen(ran(state=EXITED, code=1)), (StartContainer("web", 1),)),
        ("Never", seen(ran(state=EXITED, code=1)), ()),
        ("Never", seen(ran(state=EXITED, code=1), ready=False), ()),
        ("Always", seen(ready=False), (StartSandbox(),)),
    ],
)
def test_what_is_missing_is_started(policy: str, state: PodState | None, actions: tuple[object, ...]) -> None:
    assert next_steps(pod(restart=policy), state).actions == actions


def test_only_the_two_newest_attempts_of_a_container_are_kept() -> None:
    state = seen(ran(attempt=1, state=EXITED), ran(attempt=2, state=EXITED), ran(attempt=3))
    assert next_steps(pod(), state).actions == (RemoveContainer("web", "web-1"),)


def test_a_container_that_the_runtime_forgot_goes_on_counting() -> None:
    asked = pod()
    asked["status"] = {"containerStatuses": [{"name": "web", "containerID": "x://1", "restartCount": 4}]}
    assert next_steps(asked, seen()).actions == (StartContainer("web", 5),)


def test_an_unhealthy_container_is_stopped_with_the_pods_grace() -> None:
    asked = pod()
    asked["spec"]["terminationGracePeriodSeconds"] = 7
    (stop,) = next_steps(asked, seen(ran()), health={"web-0": Health(unhealthy="bad")}).actions
    assert isinstance(stop, Stop)
    assert (stop.grace, stop.targets[0].why) == (7, "bad")


def test_containers_in_a_dead_sandbox_are_stopped_before_it_is_made_again() -> None:
    (stop,) = next_steps(pod(), seen(ran(), ready=False)).actions
    assert isinstance(stop, Stop)


def test_in_a_dead_sandbox_what_ended_already_gets_its_signal_and_is_signalled_again_if_that_failed() -> None:
    for ending in (Ending(START, 30, "running"), Ending(START, 30, "done"), Ending(START, 2)):
        memory = PodMemory(endings={"web-0": ending})
        (stop,) = next_steps(pod(), seen(ran(), ready=False), memory=memory).actions
        assert isinstance(stop, Stop)
        memory = PodMemory(endings={"web-0": replace(ending, signalled=True)})
        assert next_steps(pod(), seen(ran(), ready=False), memory=memory).actions == ()


def test_a_finished_pod_starts_nothing_whatever_is_left_of_it() -> None:
    asked = {**pod(restart="OnFailure"), "status": {"phase": "Failed"}}
    assert next_steps(asked, None) == Decision()
    assert next_steps(asked, seen(ran(state=EXITED, code=1))) == Decision()


@pytest.mark.parametrize(
    ("drain", "after", "stops"),
    [
        (Drain(), 0.0, True),
        (Drain(served=True, excluded=False), 0.0, False),
        (Drain(served=True, excluded=False), 1.9, False),
        (Drain(served=True, excluded=False, connections=0), 2.0, True),
        (Drain(served=True, excluded=True, connections=0), 0.0, True),
        (Drain(served=True, excluded=True, connections=3), 4.9, False),
        (Drain(served=True, excluded=True, connections=3), 5.0, True),
    ],
)
def test_sigterm_waits_for_the_rules_and_the_connections_but_not_for_long(
    drain: Drain, after: float, stops: bool
) -> None:
    memory = PodMemory(started_at=START, deleting_since=START)
    decision = next_steps(marked(pod()), seen(ran()), START + after, memory=memory, drain=drain)
    assert bool(decision.actions) is stops
    if not stops:
        assert decision.wake_at is not None


def test_without_grace_nothing_is_waited_for() -> None:
    memory = PodMemory(started_at=START, deleting_since=START)
    drain = Drain(served=True, excluded=False, connections=9)
    (stop,) = next_steps(marked(pod(), 0), seen(ran()), memory=memory, drain=drain).actions
    assert isinstance(stop, Stop)
    assert stop.grace == 0


def test_a_deleted_pod_whose_containers_are_dead_is_removed_and_then_finished() -> None:
    assert next_steps(marked(pod()), seen(ran(state=EXITED))).actions == (RemovePod(),)
    assert next_steps(marked(pod()), None).finished


def test_a_sidecar_starts_before_the_rest_and_ends_after_it() -> None:
    asked = pod(restart="Never", init=[{"name": "side", "image": "s", "restartPolicy": "Always"}])
    assert next_steps(asked, seen()).actions == (StartContainer("side", 0, init=True),)
    assert next_steps(asked, seen(ran("side"))).actions == (StartContainer("web", 0),)
    (stop,) = next_steps(asked, seen(ran("side"), ran(state=EXITED))).actions
    assert isinstance(stop, Stop)
    assert [t.name for t in stop.targets] == ["side"]


# -- from anywhere to what was asked for ------------------------------------------------------------

NAMES = ("one", "two", "web", "aux")


@st.composite
def states(draw: st.DrawFn) -> PodState | None:
    """Anything that an agent which died in the middle may have left behind."""
    if draw(st.booleans()) and draw(st.booleans()):
        return None
    containers = []
    for name in NAMES:
        attempts = draw(st.integers(0, 3))
        for attempt in range(attempts):
            last = attempt == attempts - 1
            kind = draw(st.sampled_from(list(State))) if last else EXITED
            containers.append(ran(name, attempt, kind, draw(st.sampled_from([0, 1])), START - 700))
    return PodState(ref(pod()), "10.244.1.2", draw(st.booleans()), tuple(containers))


def carry_out(state: PodState | None, decision: Decision, now: float) -> PodState | None:
    """A runtime in which everything works: init containers end well, the others run on."""
    for action in decision.actions:
        if isinstance(action, StartSandbox):
            before = state.containers if state else ()
            state = PodState(ref(pod()), "10.244.1.2", True, before)
        elif isinstance(action, RemovePod):
            return None
        else:
            assert state is not None
            held = list(state.containers)
            if isinstance(action, StartContainer):
                kind = EXITED if action.init else State.RUNNING
                held = [c for c in held if (c.name, c.attempt) != (action.name, action.attempt)]
                held.append(ran(action.name, action.attempt, kind, 0, now))
            elif isinstance(action, Stop):
                ids = {t.id for t in action.targets}
                held = [
                    replace(c, state=EXITED, exit_code=143, finished_at=now) if c.id in ids else c
                    for c in held
                ]
            elif isinstance(action, RemoveContainer):
                held = [c for c in held if c.id != action.id]
            state = replace(state, containers=tuple(held))
    return state


def init_ends(state: PodState | None, now: float) -> PodState | None:
    """Init containers that run come to their end, and it is a good one."""
    if state is None:
        return None
    ended = [
        replace(c, state=EXITED, finished_at=now)
        if c.name in ("one", "two") and c.state is State.RUNNING
        else c
        for c in state.containers
    ]
    return replace(state, containers=tuple(ended))


def settle(asked: Object, state: PodState | None) -> tuple[PodState | None, Decision, PodMemory, float]:
    """Decide and act until nothing is left to do; waits pass at once."""
    memory, now = PodMemory(started_at=START), START
    for _ in range(60):
        decision = decide(asked, state, memory, {}, now, Drain())
        if not decision.actions:
            ended = init_ends(state, now)
            if decision.wake_at is None and ended == state:
                return state, decision, memory, now
            now = decision.wake_at or now
            state = ended
        state = carry_out(state, decision, now)
    raise AssertionError(f"still {decision}")


def four() -> Object:
    asked = pod(init=[{"name": "one", "image": "i"}, {"name": "two", "image": "i"}])
    asked["spec"]["containers"].append({"name": "aux", "image": "a"})
    return asked


@settings(max_examples=300, deadline=None)
@given(state=states(), policy=st.sampled_from(["Always", "OnFailure"]))
def test_from_any_state_the_pod_ends_up_as_asked(state: PodState | None, policy: str) -> None:
    asked = four()
    asked["spec"]["restartPolicy"] = policy
    end, _, memory, now = settle(asked, state)
    status = pod_status(asked, end, memory, {}, now, node_ip="10.0.0.1", runtime="test")
    entries = {c["name"]: c for c in status["containerStatuses"]}
    for name in ("web", "aux"):
        terminated = entries[name]["state"].get("terminated")
        ended_well = policy == "OnFailure" and terminated and terminated["exitCode"] == 0
        assert "running" in entries[name]["state"] or ended_well
    assert status["phase"] in ("Running", "Succeeded")
    if policy == "Always":
        assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == "True"
    assert end is None or max([0, *(sum(c.name == n for c in end.containers) for n in NAMES)]) <= 2


@settings(max_examples=200, deadline=None)
@given(state=states())
def test_from_any_state_a_deleted_pod_ends_up_gone(state: PodState | None) -> None:
    end, decision, _, _ = settle(marked(four()), state)
    assert end is None
    assert decision.finished


@settings(max_examples=200, deadline=None)
@given(state=states(), policy=st.sampled_from(["Always", "OnFailure", "Never"]))
def test_init_containers_never_start_out_of_order_or_beside_the_others(
    state: PodState | None, policy: str
) -> None:
    asked = four()
    asked["spec"]["restartPolicy"] = policy
    for action in decide(asked, state, PodMemory(started_at=START), {}, START, Drain()).actions:
        if isinstance(action, StartContainer) and action.init:
            assert state is not None
            assert not any(c.name in ("web", "aux") for c in state.containers)
            if action.name == "two":
                # Once it has begun, what came before was done, even if nothing is left of that.
                assert any(
                    (c.name == "one" and c.exit_code == 0 and c.state is EXITED) or c.name == "two"
                    for c in state.containers
                )
