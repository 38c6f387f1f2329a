"""The node's Events."""

from __future__ import annotations

from app.objects.change import Object
from tests.clock import HandClock
from workers.agent.exchange.notes import Notes
from workers.agent.node.standing import DOWN, tell_change


def node(status: str, message: str = "kubelet is posting ready status") -> Object:
    ready = {"type": "Ready", "status": status, "message": message}
    return {"kind": "Node", "metadata": {"name": "n1"}, "status": {"conditions": [ready]}}


def told(*reports: Object) -> list[tuple[object, object]]:
    notes = Notes(HandClock())
    before = None
    for report in reports:
        tell_change(notes, before, report)
        before = report
    return [(note["type"], note["reason"]) for note in notes.take()]


def test_a_runtime_that_goes_and_comes_is_told_with_the_standing_of_the_node() -> None:
    down = node("False", f"{DOWN}: connection refused")
    later = node("False", f"{DOWN}: timed out")
    assert told(node("True"), down, later, node("True")) == [
        ("Warning", "ContainerRuntimeDown"),
        ("Normal", "NodeNotReady"),
        ("Normal", "NodeReady"),
    ]


def test_a_node_that_stays_as_it_was_has_nothing_to_tell() -> None:
    assert told(node("True"), node("True")) == []
    assert told(node("False", f"{DOWN}: connection refused")) == []


def test_a_node_that_is_short_of_something_and_no_longer_is_says_both() -> None:
    def short(of: str) -> Object:
        found = node("True")
        for name in ("MemoryPressure", "DiskPressure"):
            status = "True" if name == of else "False"
            found["status"]["conditions"].append({"type": name, "status": status, "message": ""})
        return found

    assert told(short(""), short("MemoryPressure"), short("DiskPressure"), short("")) == [
        ("Normal", "NodeHasInsufficientMemory"),
        ("Normal", "NodeHasSufficientMemory"),
        ("Normal", "NodeHasDiskPressure"),
        ("Normal", "NodeHasNoDiskPressure"),
    ]
