"""What a pod's status says: phases, conditions and container states, for what runs."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.model import START, Script, asked
from workers.agent.deciding.containers import Health
from workers.agent.memory import PodMemory
from workers.agent.pod import ref
from workers.agent.status.pod_status import pod_status
from workers.runtime.protocol import ContainerState, PodState, State

SCRIPTS = {name: Script() for name in ("init", "side", "web", "aux")}


def pod(restart: str = "Always", **changes: Any) -> Object:
    made = asked([("init", False), ("side", True)], ["web", "aux"], SCRIPTS, restart=restart)
    return {**made, **changes}


def shown(**containers: str) -> PodState:
    """`running`, `created`, or an exit code, by name."""

    def made(name: str, word: str) -> ContainerState:
        state = State.EXITED if word.isdigit() else State(word)
        code = int(word) if word.isdigit() else 0
        begun = 0.0 if state is State.CREATED else START
        ended = START + 1 if state is State.EXITED else 0.0
        return ContainerState(
            name, 0, state, f"{name}-0", "i", started_at=begun, finished_at=ended, exit_code=code
        )

    return PodState(ref(pod()), "10.0.0.1", True, tuple(made(n, w) for n, w in containers.items()))


def status(
    wanted: Object, state: PodState | None, memory: PodMemory | None = None, **health: Health
) -> Object:
    by_id = {f"{name}-0": each for name, each in health.items()}
    return pod_status(wanted, state, memory or PodMemory(), by_id, START + 2, node_ip="1.2.3.4", runtime="t")


def truths(told: Object) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c.get("reason", "")) for c in told["conditions"]}


def entry(told: Object, name: str) -> Object:
    for section in ("containerStatuses", "initContainerStatuses"):
        for each in told[section]:
            if each["name"] == name:
                return each  # type: ignore[no-any-return]
    raise KeyError(name)


UP = {"side": "running", "init": "0"}


@pytest.mark.parametrize(
    ("restart", "containers", "phase"),
    [
        ("Always", {}, "Pending"),
        ("Always", {"init": "running"}, "Pending"),
        ("Always", {"init": "1"}, "Pending"),
        ("Never", {"init": "1"}, "Failed"),
        ("Never", {"init": "1", "side": "running"}, "Pending"),
        ("Always", {**UP, "web": "running"}, "Pending"),
        ("Always", {**UP, "web": "running", "aux": "created"}, "Pending"),
        ("Always", {**UP, "web": "running", "aux": "running"}, "Running"),
        ("Always", {**UP, "web": "running", "aux": "1"}, "Running"),
        ("Always", {**UP, "web": "0", "aux": "0"}, "Running"),
        ("OnFailure", {**UP, "web": "0", "aux": "1"}, "Running"),
        # As long as a sidecar runs, the pod does.
        ("Never", {**UP, "web": "0", "aux": "0"}, "Running"),
        ("Never", {"init": "0", "side": "143", "web": "0", "aux": "0"}, "Succeeded"),
        ("Never", {"init": "0", "side": "1", "web": "0", "aux": "0"}, "Succeeded"),
        ("Never", {"init": "0", "side": "0", "web": "0", "aux": "2"}, "Failed"),
        ("OnFailure", {"init": "0", "side": "0", "web": "0", "aux": "0"}, "Succeeded"),
    ],
)
def test_the_phase_follows_from_what_the_containers_do(
    restart: str, containers: dict[str, str], phase: str
) -> None:
    assert status(pod(restart), shown(**containers))["phase"] == phase


def test_a_pod_past_its_deadline_is_failed_once_nothing_runs_and_stays_so() -> None:
    memory = PodMemory(failed=("DeadlineExceeded", "too late"))
    before = status(pod(), shown(**UP, web="running", aux="running"))
    wanted = pod(status=before)
    ending = status(wanted, shown(**UP, web="running", aux="143"), memory)
    assert (ending["phase"], ending.get("reason")) == ("Running", None)
    assert truths(ending)["Ready"] == ("False", "PodFailed")
    ended = status(wanted, shown(init="0", side="143", web="143", aux="143"), memory)
    assert (ended["phase"], ended["reason"], ended["message"]) == ("Failed", "DeadlineExceeded", "too late")
    later = status(pod(status=ended), shown(init="0", side="143", web="0", aux="0"))
    assert (later["phase"], later["reason"]) == ("Failed", "DeadlineExceeded")


@pytest.mark.parametrize(
    ("containers", "health", "initialized", "ready"),
    [
        ({}, {}, ("False", "ContainersNotInitialized"), ("False", "ContainersNotReady")),
        ({"init": "running"}, {}, ("False", "ContainersNotInitialized"), ("False", "ContainersNotReady")),
        (
            {**UP},
            {"side": Health(started=False)},
            ("False", "ContainersNotInitialized"),
            ("False", "ContainersNotReady"),
        ),
        ({**UP}, {}, ("True", ""), ("False", "ContainersNotReady")),
        ({**UP, "web": "running", "aux": "running"}, {}, ("True", ""), ("True", "")),
        # A sidecar's readiness is the pod's, too.
        (
            {**UP, "web": "running", "aux": "running"},
            {"side": Health(ready=False)},
            ("True", ""),
            ("False", "ContainersNotReady"),
        ),
    ],
)
def test_conditions_follow_from_what_the_containers_do(
    containers: dict[str, str],
    health: dict[str, Health],
    initialized: tuple[str, str],
    ready: tuple[str, str],
) -> None:
    told = truths(status(pod(), shown(**containers), **health))
    assert told["Initialized"] == initialized
    assert told["Ready"] == told["ContainersReady"] == ready
    assert told["PodReadyToStartContainers"] == told["PodScheduled"] == ("True", "")


def test_a_closed_readiness_gate_keeps_a_pod_from_being_ready_and_nothing_else() -> None:
    wanted = pod()
    wanted["spec"]["readinessGates"] = [{"conditionType": "example.com/up"}]
    state = shown(**UP, web="running", aux="running")
    told = truths(status(wanted, state))
    assert (told["Ready"], told["ContainersReady"]) == (("False", "ReadinessGatesNotReady"), ("True", ""))
    closed = 'the status of pod readiness gate "example.com/up" is not "True", but False'
    absent = 'corresponding condition of pod readiness gate "example.com/ok" does not exist.'
    wanted["spec"]["readinessGates"].append({"conditionType": "example.com/ok"})
    wanted["status"] = {"conditions": [{"type": "example.com/up", "status": "False"}]}
    (ready,) = (c for c in status(wanted, state)["conditions"] if c["type"] == "Ready")
    assert ready["message"] == f"{closed}, {absent}"
    names = ("example.com/up", "example.com/ok")
    wanted["status"] = {"conditions": [{"type": name, "status": "True"} for name in names]}
    opened = truths(status(wanted, state))
    assert opened["Ready"] == ("True", "")
    assert opened["example.com/up"] == ("True", "")


def test_status_and_conditions_name_the_generation_they_are_of() -> None:
    wanted = pod()
    wanted["metadata"]["generation"] = 7
    told = status(wanted, shown(**UP))
    assert told["observedGeneration"] == 7
    assert {c["observedGeneration"] for c in told["conditions"]} == {7}


def test_a_container_runs_for_users_once_its_post_start_hook_is_done() -> None:
    greeting = asked([], ["web"], {"web": Script(greets=True)})
    state = shown(web="running")
    waiting = status(greeting, state, PodMemory(post_start={"web-0": "running"}))
    assert entry_of(waiting)["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert (waiting["phase"], entry_of(waiting)["started"]) == ("Pending", False)
    done = status(greeting, state, PodMemory(post_start={"web-0": "done"}))
    assert "running" in entry_of(done)["state"]
    assert done["phase"] == "Running"
    # An agent that was not there finds it in the status.
    assert status({**greeting, "status": done}, state)["phase"] == "Running"


def entry_of(told: Object) -> Object:
    (found,) = told["containerStatuses"]
    return found  # type: ignore[no-any-return]


def test_how_a_container_ended_is_told_with_its_last_words() -> None:
    memory = PodMemory(last_words={"web-0": "I give up\n"})
    told = status(pod("Never"), shown(**UP, web="3", aux="running"), memory)
    ended = entry(told, "web")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "I give up\n")
    assert entry(told, "init")["state"]["terminated"]["reason"] == "Completed"
    assert "message" not in entry(told, "init")["state"]["terminated"]


def test_a_container_in_back_off_shows_how_it_ended_before() -> None:
    memory = PodMemory()
    memory.of("web").backoff, memory.of("web").backoff_since = 20.0, START
    told = status(pod(), shown(**UP, web="1", aux="running"), memory)
    waiting = entry(told, "web")["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"
    assert waiting["message"] == "back-off 20s restarting failed container=web pod=p_d(u)"
    assert entry(told, "web")["lastState"]["terminated"]["exitCode"] == 1
