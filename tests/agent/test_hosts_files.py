"""Hosts files of running pods follow the services, and only those that differ are touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.base.settings import Settings
from app.objects.change import Object
from tests.agent.world import NoNetwork, World, pod
from tests.clock import HandClock
from workers.agent.admitting.gate import Gate
from workers.agent.hosts_files import HostsFiles
from workers.agent.lifecycle import Lifecycle
from workers.agent.record import Record
from workers.agent.resizing.resizing import Resizer
from workers.network.node import NodeNetwork
from workers.network.select import NoPlane
from workers.runtime.protocol import AnswersProbes, ContainerError, PodRef
from workers.runtime.simulated import SimulatedRuntime


class Plain:
    """Simulated containers that pass for real ones: they answer no probes themselves. Counts what was written."""

    def __init__(self, simulated: SimulatedRuntime) -> None:
        self.simulated = simulated
        self.written: list[str] = []
        self.broken = False

    def refresh(self, pod: PodRef, hosts: str) -> None:
        if self.broken:
            raise ContainerError("HostsFileFailed", "the disk is full")
        self.written.append(pod.name)
        self.simulated.refresh(pod, hosts)

    def hosts(self, uid: str) -> str:
        return self.simulated.machine.pods[uid].spec.hosts


def service(name: str, ip: str, namespace: str = "default") -> Object:
    spec = {"clusterIP": ip, "clusterIPs": [ip], "ports": [{"port": 80}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


class Setting:
    """Two running pods, in two namespaces, and the services of their cluster."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.run()
        other = pod("other")
        other["metadata"]["namespace"] = "data"
        for made in (pod("web"), other):
            self.world.api.put(made)
        self.world.change()
        settings = Settings(node="n1", state_dir=folder)
        self.network = NodeNetwork(settings, "process", "n1", plane=NoPlane(), clock=HandClock())
        self.runtime = Plain(self.world.runtime)
        assert not isinstance(self.runtime, AnswersProbes)
        around = self.world.agent.around
        around.runtime, around.network = self.runtime, self.network  # type: ignore[assignment]
        self.files = HostsFiles(around)
        self.records = [Record(made) for made in (pod("web"), other)]

    def step(self) -> None:
        for record in self.records:
            self.files.refresh(record, self.world.runtime.pod(record.uid))


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    made = Setting(tmp_path)
    made.step()
    made.runtime.written.clear()
    return made


def test_a_service_made_after_a_pod_is_named_in_it(setting: Setting) -> None:
    setting.network.update([service("db", "127.96.0.9")], [], 5)
    assert setting.files.outdated(setting.records) == ["uid-web", "uid-other"]
    setting.step()
    assert "127.96.0.9\tdb db.default db.default.svc" in setting.runtime.hosts("uid-web")
    assert "127.96.0.9\tdb.default db.default.svc" in setting.runtime.hosts("uid-other")
    assert setting.files.outdated(setting.records) == []


def test_pods_whose_names_stay_are_left_alone(setting: Setting) -> None:
    setting.network.update([service("db", "127.96.0.9")], [], 5)
    setting.step()
    setting.runtime.written.clear()
    setting.network.update([{**service("db", "127.96.0.9"), "status": {}}], [], 6)
    assert setting.files.outdated(setting.records) == []
    setting.step()
    assert setting.runtime.written == []


def test_a_service_that_is_gone_is_named_no_more(setting: Setting) -> None:
    setting.network.update([service("db", "127.96.0.9")], [], 5)
    setting.step()
    setting.network.update([], [], 6)
    setting.step()
    assert "db" not in setting.runtime.hosts("uid-web")


def test_a_file_that_could_not_be_written_is_tried_again(setting: Setting) -> None:
    setting.runtime.broken = True
    setting.network.update([service("db", "127.96.0.9")], [], 5)
    setting.step()
    assert setting.files.outdated(setting.records) == ["uid-web", "uid-other"]
    setting.runtime.broken = False
    setting.step()
    assert "db.default" in setting.runtime.hosts("uid-web")


def test_a_pod_without_a_sandbox_is_not_looked_at_for_names(setting: Setting) -> None:
    setting.world.runtime.kill_sandbox("uid-web")
    setting.step()
    setting.network.update([service("db", "127.96.0.9")], [], 5)
    assert setting.files.outdated(setting.records) == ["uid-other"]


def test_simulated_pods_have_no_hosts_files(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.network = NoNetwork()
    files = HostsFiles(world.agent.around)
    assert files.outdated([Record(pod("web"))]) == []


def test_the_lifecycle_wakes_the_pods_that_differ(setting: Setting) -> None:
    woken: list[str] = []
    around = setting.world.agent.around
    lifecycle = Lifecycle(
        around,
        setting.world.agent.pods.probes,
        setting.world.agent.outbox,
        setting.world.jobs,
        lambda uid, delay: woken.append(uid),
        lambda: None,
        lambda: 0,
        Gate(around, list, lambda: None),
        Resizer(around, list, lambda uid: None, lambda: None),
    )
    setting.network.update([service("db", "127.96.0.9")], [], 5)
    lifecycle.services_changed(setting.records)
    assert woken == ["uid-web", "uid-other"]
