"""Lives of pods with an agent on each runtime: sidecars, hooks, signals, last words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.agent_on import IMAGE, Tended, pod
from tests.contracts.runtime_subjects import Subject

WAITS = "while :; do sleep 0.05; done"


@pytest.fixture
def node(real: Subject, tmp_path: Path) -> Iterator[Tended]:
    tended = Tended(real, tmp_path / "state")
    yield tended
    tended.close()


def say(word: str) -> str:
    return f"echo {word} >>/beanpole-test/story"


def exec_hook(word: str) -> dict[str, object]:
    return {"exec": {"command": ["/bin/sh", "-c", say(word)]}}


def test_init_sidecar_main_hooks_and_signals_come_in_their_order(node: Tended, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    mounts = [{"name": "story", "mountPath": "/beanpole-test"}]
    sidecar = {
        "name": "side",
        "restartPolicy": "Always",
        "script": f"trap '{say('side-ends')}; exit 0' TERM; {say('side')}; touch /beanpole-test/up; {WAITS}",
        "startupProbe": {"exec": {"command": ["test", "-e", "/beanpole-test/up"]}},
        "lifecycle": {"preStop": exec_hook("side-bows")},
        "volumeMounts": mounts,
    }
    main = {
        "name": "main",
        "script": f"trap '{say('main-ends')}; exit 0' USR1; test -e /beanpole-test/up && {say('main')}; {WAITS}",
        "lifecycle": {
            "postStart": exec_hook("main-greets"),
            "preStop": exec_hook("main-bows"),
            "stopSignal": "SIGUSR1",
        },
        "volumeMounts": mounts,
    }
    wanted = pod(
        "whole",
        [main],
        inits=[{"name": "first", "script": say("first"), "volumeMounts": mounts}, sidecar],
        volumes=[{"name": "story", "hostPath": {"path": str(shared)}}],
    )
    node.put(wanted)
    node.until(lambda: node.container(wanted, "main").get("ready"), "the pod is ready")
    assert node.container(wanted, "main")["stopSignal"] == "SIGUSR1"
    assert node.status(wanted)["observedGeneration"] == 1

    # Somebody who looks into a container sees its processes.
    looks = shlex.join(["grep", "-q", "main-greet[s]\\|main-end[s]"]) + " /proc/[0-9]*/cmdline"
    command = ["/bin/sh", "-c", looks]
    looker = {"name": "look", "image": IMAGE, "command": command, "targetContainerName": "main"}
    node.change(wanted, ephemeralContainers=[looker])
    node.until(lambda: "terminated" in node.container(wanted, "look").get("state", {}), "the looker is done")
    assert node.container(wanted, "look")["state"]["terminated"]["exitCode"] == 0

    node.delete(wanted, 10)
    node.until(lambda: node.gone(wanted), "the pod is gone")
    told = (shared / "story").read_text().split()
    assert told[:2] == ["first", "side"]
    assert sorted(told[2:4]) == ["main", "main-greets"]
    # Hooks run side by side; each before its container is told to end, and the sidecar ends last.
    assert sorted(told[4:]) == ["main-bows", "main-ends", "side-bows", "side-ends"]
    assert told.index("main-bows") < told.index("main-ends")
    assert told[-1] == "side-ends"


def test_what_a_container_says_last_is_in_its_status(node: Tended, tmp_path: Path) -> None:
    custom = "/beanpole-test/words"
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    wanted = pod(
        "words",
        [
            {"name": "usual", "script": "echo usual words >/dev/termination-log; exit 3"},
            {"name": "custom", "script": f"echo own >{custom}", "terminationMessagePath": custom},
            {"name": "log", "script": "for i in $(seq 99); do echo line $i; done; exit 1", **fallback},
            {"name": "well", "script": "echo all is well", **fallback},
            {"name": "long", "script": "head -c 5000 /dev/zero | tr '\\0' x >/dev/termination-log"},
        ],
        restartPolicy="Never",
    )
    node.put(wanted)
    node.until(lambda: node.status(wanted).get("phase") == "Failed", "all containers are done")

    def message(name: str) -> str:
        return str(node.container(wanted, name)["state"]["terminated"].get("message", ""))

    assert message("usual") == "usual words\n"
    assert message("custom") == "own\n"
    assert message("log").splitlines() == [f"line {i}" for i in range(20, 100)]
    assert message("well") == ""
    # Five share 12 KiB.
    assert message("long") == "x" * (12 * 1024 // 5)


def test_a_hook_that_fails_costs_the_container_its_life_and_is_told(node: Tended) -> None:
    wanted = pod(
        "hooked",
        [
            {
                "name": "main",
                "script": f"trap 'exit 0' TERM; {WAITS}",
                "lifecycle": {"postStart": {"exec": {"command": ["/bin/sh", "-c", "echo no; exit 7"]}}},
            }
        ],
        restartPolicy="Never",
    )
    node.put(wanted)
    node.until(lambda: node.status(wanted).get("phase") == "Succeeded", "its container was stopped")
    node.until(lambda: any(r == "FailedPostStartHook" for _, r, _ in node.api.events), "that is told")
    (message,) = [m for _, reason, m in node.api.events if reason == "FailedPostStartHook"]
    assert "exited with 7: no" in message


def test_a_grace_period_that_is_shortened_holds_for_what_is_ending_already(node: Tended) -> None:
    wanted = pod("stubborn", [{"name": "main", "script": f"trap '' TERM; {WAITS}"}])
    node.put(wanted)
    node.until(lambda: node.container(wanted, "main").get("ready"), "the pod is ready")
    node.delete(wanted, 600)
    node.until(lambda: any(reason == "Killing" for _, reason, _ in node.api.events), "it was told to end")
    node.delete(wanted, 1)
    node.until(lambda: node.gone(wanted), "the pod is gone")
