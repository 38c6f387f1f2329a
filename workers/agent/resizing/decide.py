"""Bringing running containers to what their pod was given; and what a pod's status tells of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from app.objects import quantity
from app.objects.change import Object
from app.objects.conditions import merged
from workers.agent.configuring.resources import limits_of
from workers.agent.deciding.end import Steps
from workers.agent.deciding.step import Action, Decision, ResizeContainer
from workers.agent.memory import PodMemory
from workers.agent.pod import grace, newest
from workers.agent.resizing.allocation import COUNTED, resizable
from workers.runtime.protocol import ContainerState, PodState, State
from workers.runtime.resources import Limits, millis_of_shares, shares

PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"


def resizing(pod: Object, state: PodState | None, memory: PodMemory, now: float) -> Decision:
    """What is to be done for containers that run with other limits than their pod was given."""
    if now < memory.resize.retry_at:
        return Decision((), memory.resize.retry_at)
    ends = Steps(pod, memory, now)
    changes: list[Action] = []
    for container, found, wanted in _unlike(pod, state):
        if found.id in memory.endings or found.limits is None:
            continue
        if any(_restarts(container, name) for name in _changed(found.limits, wanted)):
            why = f"Container {container['name']} resize requires restart"
            ends.end(found, now, grace(pod), why)
        else:
            changes.append(ResizeContainer(found.name, found.id, wanted, _shrinks(found.limits, wanted)))
    return Decision((*ends.actions, *changes), ends.wake_at)


def _changed(has: Limits, wanted: Limits) -> Iterator[str]:
    if (has.cpu_shares, has.cpu_millis) != (wanted.cpu_shares, wanted.cpu_millis):
        yield "cpu"
    if has.memory_bytes != wanted.memory_bytes:
        yield "memory"


def _shrinks(has: Limits, wanted: Limits) -> bool:
    return bool(wanted.memory_bytes) and (not has.memory_bytes or wanted.memory_bytes < has.memory_bytes)


def in_place(pod: Object, state: PodState | None) -> bool:
    """Whether every running container has what its pod was given."""
    return not any(True for _ in _unlike(pod, state))


def _unlike(pod: Object, state: PodState | None) -> Iterator[tuple[Object, ContainerState, Limits]]:
    for container in resizable(pod) if state else ():
        found = newest(state, container["name"])
        if found is None or found.state is not State.RUNNING or found.limits is None:
            continue
        wanted = limits_of(pod, container)
        if found.limits != wanted:
            yield container, found, wanted


def _restarts(container: Object, name: str) -> bool:
    policies = container.get("resizePolicy") or ()
    return any(
        p.get("resourceName") == name and p.get("restartPolicy") == "RestartContainer" for p in policies
    )


def of_resize(found: list[Object], memory: PodMemory, now: float) -> list[Object]:
    """A pod's conditions with what there is to say of its resize, and without what no longer is."""
    resize = memory.resize
    kept = [
        c
        for c in found
        if not (c["type"] == PENDING and resize.pending is None)
        and not (c["type"] == IN_PROGRESS and not resize.under_way)
    ]
    if resize.pending is not None:
        why = resize.pending
        kept = merged(
            kept,
            PENDING,
            "True",
            now,
            reason=why.reason,
            message=why.message,
            observedGeneration=resize.generation,
        )
    if resize.under_way:
        said: dict[str, Any] = {"reason": "Error", "message": resize.error} if resize.error else {}
        kept = merged(kept, IN_PROGRESS, "True", now, **said, observedGeneration=resize.generation)
    return kept


def told(prefix: str, pod: Object, error: str = "") -> str:
    """The text of an Event about a resize: what the pod's containers are to have, as kubelet writes it."""
    summary: dict[str, Any] = {}
    for section in ("initContainers", "containers"):
        mine = [c for c in resizable(pod) if c in (pod["spec"].get(section) or ())]
        if mine:
            summary[section] = [{"name": c["name"], "resources": c.get("resources") or {}} for c in mine]
    summary["generation"] = pod["metadata"].get("generation", 0)
    if error:
        summary["error"] = error
    return f"{prefix}: {orjson.dumps(summary).decode()}"


def note_resources(status: Object, pod: Object, container: Object, found: ContainerState | None) -> None:
    """Note in a container's status what it was given, and what it has. Init containers that end are never resized."""
    if container not in resizable(pod):
        return
    given = container.get("resources") or {}
    asked = {n: a for n, a in (given.get("requests") or {}).items() if n in COUNTED}
    if asked:
        status["allocatedResources"] = asked
    status["resources"] = given
    if found is None or found.state is not State.RUNNING or found.limits is None:
        return
    if found.limits != limits_of(pod, container):
        status["resources"] = _actual(given, found.limits)


def _actual(given: Object, has: Limits) -> Object:
    """`given` with the limits that the container really has. Of requests Linux only knows the weight of cpu."""
    limits, requests = dict(given.get("limits") or {}), dict(given.get("requests") or {})
    for name, amount, text in (
        ("cpu", has.cpu_millis, quantity.of_millis(has.cpu_millis)),
        ("memory", has.memory_bytes, quantity.of_bytes(has.memory_bytes)),
    ):
        if amount:
            limits[name] = text
        else:
            limits.pop(name, None)
    if has.cpu_shares != shares(quantity.millis(requests.get("cpu", 0))):
        requests["cpu"] = quantity.of_millis(millis_of_shares(has.cpu_shares))
    return {**given, **({"limits": limits} if limits else {}), **({"requests": requests} if requests else {})}
