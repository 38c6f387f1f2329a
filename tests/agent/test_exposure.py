"""Ports of the machine that lead into pods: begun with a pod, kept over an agent's restart, given up with it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent.exposure import Exposure
from workers.agent.record import Record
from workers.runtime.protocol import ContainerError, ContainerState, PodRef, PodState, State

PORTS = (("", "TCP", 8080, 80),)


class Ports:
    """The node's network, which knows what leads where."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, tuple[object, ...]]] = {}
        self.taken = False
        self.stuck = False

    def expose(self, pod: Object, address: str, node_ip: str, ports: tuple[object, ...]) -> None:
        if self.taken and ports:
            raise BeanpoleError("another program listens on 0.0.0.0:8080/TCP")
        if self.stuck:
            raise BeanpoleError("the rules can't be changed")
        self.open[pod["metadata"]["uid"]] = (address, ports)


@pytest.fixture
def network() -> Ports:
    return Ports()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def exposure(network: Ports, told: list[str]) -> Exposure:
    notes = SimpleNamespace(tell=lambda pod, reason, message, warning: told.append(f"{reason}: {message}"))
    around: Any = SimpleNamespace(network=network, runtime=object(), node_ip="192.0.2.1", notes=notes)
    return Exposure(around)


def pod(**port: Any) -> Object:
    container = {"name": "main", "ports": [{"containerPort": 80, **port}]}
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "u"},
        "spec": {"containers": [container]},
    }


def running(address: str) -> PodState:
    return PodState(PodRef("u", "default", "web"), address, True)


def test_a_port_is_open_before_the_pod_starts_and_closed_when_nothing_is_left(
    exposure: Exposure, network: Ports
) -> None:
    record = Record(pod(hostPort=8080))
    exposure.begin(record.pod, "10.0.0.9")
    assert network.open == {"u": ("10.0.0.9", PORTS)}
    exposure.follow(record, running("10.0.0.9"))
    exposure.end(record)
    assert network.open == {"u": ("", ())}


def test_a_new_agent_opens_the_ports_of_what_runs(exposure: Exposure, network: Ports) -> None:
    record = Record(pod(hostPort=8080))
    exposure.follow(record, None)
    assert network.open == {}
    exposure.follow(record, running("10.0.0.9"))
    assert network.open == {"u": ("10.0.0.9", PORTS)}


def test_a_new_agent_opens_no_ports_of_what_has_ended(exposure: Exposure, network: Ports) -> None:
    record = Record({**pod(hostPort=8080), "status": {"phase": "Succeeded"}})
    exposure.follow(record, running("10.0.0.9"))
    assert network.open == {}


def test_the_deletion_of_what_has_ended_opens_no_ports_again_and_that_of_what_runs_closes_none_early(
    exposure: Exposure, network: Ports
) -> None:
    ended = Record({**pod(hostPort=8080), "status": {"phase": "Succeeded"}})
    ended.ordered["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    exposure.follow(ended, running("10.0.0.9"))
    assert network.open == {}
    up = ContainerState("main", 0, State.RUNNING, "main-0", "i")
    exposure.follow(ended, replace(running("10.0.0.9"), containers=(up,)))
    assert network.open == {"u": ("10.0.0.9", PORTS)}


def test_a_pod_without_such_ports_opens_none(exposure: Exposure, network: Ports) -> None:
    record = Record(pod())
    exposure.begin(record.pod, "10.0.0.9")
    exposure.follow(record, running("10.0.0.9"))
    assert network.open == {}


def test_a_port_that_is_taken_keeps_a_new_pod_from_starting_and_is_told_of_one_that_runs(
    exposure: Exposure, network: Ports, told: list[str]
) -> None:
    network.taken = True
    record = Record(pod(hostPort=8080))
    with pytest.raises(ContainerError, match="hostPort: another program listens"):
        exposure.begin(record.pod, "10.0.0.9")
    exposure.follow(record, running("10.0.0.9"))
    assert told == [
        "FailedCreatePodSandBox: hostPort: another program listens on 0.0.0.0:8080/TCP",
    ]


def test_a_port_that_could_not_be_closed_is_closed_the_next_time(exposure: Exposure, network: Ports) -> None:
    record = Record(pod(hostPort=8080))
    exposure.begin(record.pod, "10.0.0.9")
    network.stuck = True
    with pytest.raises(BeanpoleError):
        exposure.end(record)
    network.stuck = False
    exposure.end(record)
    assert network.open == {"u": ("", ())}
