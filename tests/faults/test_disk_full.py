"""No space is left, for the engine or for the agent: pods wait and say so, and run once there is some."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.objects.change import Object
from tests.e2e.waiting import until
from tests.faults import own_engine, small_disk
from tests.faults.conftest import node_on
from tests.faults.node import FaultyNode, pod
from tests.faults.own_engine import OwnEngine
from tests.faults.small_disk import SmallDisk

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(60)]


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    lacking = small_disk.lacking()
    if lacking:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have loop devices: {lacking}")
        pytest.skip(lacking)
    folder = Path(tempfile.mkdtemp(prefix="bpd-"))
    with small_disk.small_disk(folder, 32) as made:
        yield made
    shutil.rmtree(folder)


@pytest.fixture
def cramped(faulty: OwnEngine, disk: SmallDisk) -> Iterator[OwnEngine]:
    """An engine whose disk is small."""
    with own_engine.running_engine(disk.path / "data") as engine:
        yield engine


def test_a_pod_waits_while_the_disk_of_the_engine_is_full(
    cramped: OwnEngine, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node_on(cramped, monkeypatch) as node:
        before = node.started(pod())
        disk.fill()
        uid = node.run(pod())
        until(lambda: node.api.told("FailedCreatePodSandBox", uid), 20, lambda: node.tell(uid))
        assert "no space left on device" in node.api.told("FailedCreatePodSandBox", uid)[0]
        assert "no space left on device" in node.waiting(uid)["message"]
        assert node.is_ready(before)
        disk.relieve()
        node.pass_time(uid, 60)
        until(lambda: node.is_ready(uid), 20, lambda: node.tell(uid))


def test_a_pod_waits_while_the_disk_of_the_agent_is_full(
    faulty: OwnEngine, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node_on(faulty, monkeypatch, disk.path) as node:
        disk.fill()
        uid = node.run(pod())
        until(lambda: node.api.told("FailedCreatePodSandBox", uid), 20, lambda: node.tell(uid))
        assert "No space left on device" in node.api.told("FailedCreatePodSandBox", uid)[0]
        disk.relieve()
        node.pass_time(uid, 60)
        until(lambda: node.is_ready(uid), 20, lambda: node.tell(uid))


def test_files_that_find_no_space_are_written_when_there_is_some(
    faulty: OwnEngine, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node_on(faulty, monkeypatch, disk.path) as node:
        node.api.set_object("configmaps default/names", config_map("old"))
        uid = node.started(with_volume(pod(volumeMounts=[{"name": "names", "mountPath": "/names"}])))
        disk.fill()
        node.api.set_object("configmaps default/names", config_map("new" * 10_000))
        node.agent.nudge()
        until(lambda: node.api.told("FailedMount", uid), 20, lambda: node.tell(uid))
        assert "No space left on device" in node.api.told("FailedMount", uid)[0]
        # What was there stays there, whole.
        assert seen(node, uid) == b"old"
        disk.relieve()
        node.pass_time(uid, 60)
        until(lambda: seen(node, uid) == b"newnewnew", 20, lambda: node.tell(uid))


def config_map(text: str) -> Object:
    meta = {"name": "names", "namespace": "default", "uid": "uid-names"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"name": text}}


def with_volume(made: Object) -> Object:
    volumes = [{"name": "names", "configMap": {"name": "names"}}]
    return {
        **made,
        "spec": {**made["spec"], "volumes": volumes},
        "draws_on": ["configmaps default/names"],
    }


def seen(node: FaultyNode, uid: str) -> bytes:
    """What the container sees."""
    return node.exec(uid, "head", "-c", "9", "/names/name")
