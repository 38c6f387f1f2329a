"""The whole agent, stepped by hand, against an API in memory and simulated containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.world import MemoryApi, World, condition, pod, waiting

READY = {"httpGet": {"port": 80}, "periodSeconds": 1}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.run()
    return made


def test_a_node_reports_itself_and_is_ready(world: World) -> None:
    node = world.api.node
    assert node is not None
    assert condition(node["status"], "Ready")["status"] == "True"
    assert node["status"]["allocatable"]["cpu"] == "32"
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "n1"
    assert node["metadata"]["annotations"]["beanpole.dev/queue"] == "n1"


def test_a_node_that_did_not_change_is_not_sent_again(world: World) -> None:
    before = len(world.api.requests)
    world.run(60)
    later = world.api.requests[before:]
    assert 10 <= len(later) <= 14
    assert [r["node"] for r in later] == [None] * len(later)


def test_a_pod_starts_runs_and_is_ready(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    status = world.status(uid)
    assert status["phase"] == "Running"
    assert condition(status, "Ready")["status"] == "True"
    assert status["podIP"] == "10.244.1.2"
    entry = status["containerStatuses"][0]
    assert (entry["ready"], entry["started"], entry["restartCount"]) == (True, True, 0)
    assert entry["containerID"].startswith("simulated://")


def test_pods_of_a_burst_go_up_in_one_exchange(world: World) -> None:
    for i in range(40):
        world.api.put(pod(f"p{i}"))
    before = len(world.api.requests)
    world.change()
    sent = [len(r["statuses"]) for r in world.api.requests[before:]]
    assert sent == [0, 40]
    assert len({world.status(f"uid-p{i}")["podIP"] for i in range(40)}) == 40


def test_a_container_that_dies_is_restarted_at_once_and_then_backs_off(world: World) -> None:
    uid = world.api.put(pod(annotations={"crash-after": "5"}))
    world.change(5.2)
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 1
    assert condition(world.status(uid), "Ready")["status"] == "True"
    world.run(5.2)
    status = world.status(uid)
    assert waiting(status) == "CrashLoopBackOff"
    assert (
        "back-off 10s restarting failed container=web"
        in status["containerStatuses"][0]["state"]["waiting"]["message"]
    )
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1
    assert condition(status, "Ready")["reason"] == "ContainersNotReady"
    assert "BackOff" in world.reasons()
    world.run(9.8)
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 2


def test_a_killed_container_is_ready_again_without_waiting_for_a_poll(world: World) -> None:
    uid = world.api.put(pod(readinessProbe=READY))
    world.change()
    world.runtime.kill(uid, "web")
    world.run(0.1)
    entry = world.status(uid)["containerStatuses"][0]
    assert (entry["restartCount"], entry["ready"]) == (1, True)
    assert entry["lastState"]["terminated"]["exitCode"] == 137


def test_readiness_comes_as_soon_as_the_container_serves(world: World) -> None:
    uid = world.api.put(
        pod(annotations={"ready-after": "0.3"}, readinessProbe={**READY, "periodSeconds": 10})
    )
    world.change(0.2)
    assert condition(world.status(uid), "Ready")["status"] == "False"
    world.run(0.3)
    assert condition(world.status(uid), "Ready")["status"] == "True"
    assert "Unhealthy" not in world.reasons()


def test_a_container_that_fails_its_liveness_probe_is_restarted(world: World) -> None:
    uid = world.api.put(
        pod(annotations={"never-ready": "true"}, livenessProbe={**READY, "failureThreshold": 3})
    )
    world.change(2.9)
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 0
    world.run(0.3)
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 1
    assert (uid, "Killing", "Container web failed liveness probe, will be restarted") in world.api.events
    assert world.api.events[uid, "Unhealthy", "Liveness probe failed: the container is not ready"] == 3


def test_liveness_waits_for_the_startup_probe(world: World) -> None:
    probes = {
        "startupProbe": {**READY, "failureThreshold": 30},
        "livenessProbe": {**READY, "failureThreshold": 1},
    }
    uid = world.api.put(pod(annotations={"ready-after": "8"}, **probes))
    world.change(7)
    assert world.status(uid)["containerStatuses"][0]["started"] is False
    world.run(3)
    entry = world.status(uid)["containerStatuses"][0]
    assert (entry["started"], entry["restartCount"]) == (True, 0)


def test_init_containers_run_in_order_before_the_others(world: World) -> None:
    init = [{"name": "one", "image": "i"}, {"name": "two", "image": "i"}]
    done = {"one.crash-after": "2", "one.exit-code": "0", "two.crash-after": "3", "two.exit-code": "0"}
    uid = world.api.put(pod(init=init, annotations=done))
    world.change(1)
    assert [c.state.name for c in world.machine.pods[uid].containers] == ["one"]
    assert waiting(world.status(uid)) == "PodInitializing"
    assert condition(world.status(uid), "Initialized")["reason"] == "ContainersNotInitialized"
    world.run(2)
    assert [c.state.name for c in world.machine.pods[uid].containers] == ["one", "two"]
    world.run(3)
    assert world.status(uid)["phase"] == "Running"
    assert condition(world.status(uid), "Initialized")["status"] == "True"


@pytest.mark.parametrize(("code", "phase"), [("0", "Succeeded"), ("3", "Failed")])
def test_a_pod_that_never_restarts_ends_as_its_container_did(world: World, code: str, phase: str) -> None:
    uid = world.api.put(pod(restart="Never", annotations={"crash-after": "1", "exit-code": code}))
    world.change(2)
    status = world.status(uid)
    assert status["phase"] == phase
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == int(code)
    world.run(120)
    assert world.status(uid) == status


def test_a_deleted_pod_is_stopped_removed_and_forgotten(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.api.delete(uid, 30, world.clock.at)
    world.change()
    assert world.machine.pods == {}
    assert world.api.pods == {}


def test_a_pod_deleted_without_grace_is_killed(world: World) -> None:
    uid = world.api.put(pod(annotations={"ignore-term": "true"}))
    world.change()
    world.api.vanish(uid)
    world.change(2)
    assert world.machine.pods == {}


def test_sigterm_waits_until_every_node_has_taken_the_pod_out_of_its_rules(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.api.lead_to(uid)
    world.change()
    world.api.others_applied = world.api.revision
    world.api.delete(uid, 30, world.clock.at)
    world.api.lead_to(uid, ready=False)
    world.change(1.0)
    assert uid in world.machine.pods
    assert condition(world.status(uid), "Ready")["status"] == "True"
    world.api.others_applied = None
    world.run(0.3)
    assert uid not in world.machine.pods


def test_a_node_that_never_reports_holds_up_the_end_for_two_seconds_only(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.api.lead_to(uid)
    world.change()
    world.api.delete(uid, 30, world.clock.at)
    world.change(1.8)
    assert uid in world.machine.pods
    world.run(0.6)
    assert uid not in world.machine.pods


def test_a_new_agent_adopts_what_runs_and_ends_what_nobody_knows(world: World) -> None:
    kept, lost = world.api.put(pod("kept", readinessProbe=READY)), world.api.put(pod("lost"))
    world.change()
    before = world.machine.pods[kept].containers[0].state
    status = world.status(kept)
    del world.api.pods[lost]
    world.begin()
    world.run(2)
    assert list(world.machine.pods) == [kept]
    assert world.machine.pods[kept].containers[0].state == before
    assert world.status(kept) == status


def test_pods_keep_running_and_restarting_while_the_api_is_away(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.api.down = True
    world.runtime.kill(uid, "web")
    world.run(60)
    assert world.machine.pods[uid].containers[-1].state.attempt == 1
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 0
    world.api.down = False
    world.run(10)
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 1


def test_the_end_of_a_pod_is_told_until_the_api_has_heard_it(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.api.delete(uid, 1, world.clock.at)
    world.agent.exchange_once()
    world.api.down = True
    world.run(20)
    assert world.machine.pods == {}
    assert uid in world.api.pods
    world.api.down = False
    world.run(10)
    assert uid not in world.api.pods


def test_another_epoch_makes_the_agent_ask_for_everything(world: World) -> None:
    kept, lost = world.api.put(pod("kept")), world.api.put(pod("lost"))
    world.change()
    del world.api.pods[lost]
    world.api.epoch = 2
    world.change(3)
    assert list(world.machine.pods) == [kept]


def test_a_missing_configmap_is_told_and_its_coming_starts_the_container(world: World) -> None:
    wants = pod(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}}])
    uid = world.api.put({**wants, "draws_on": ["configmaps default/cm"]})
    world.change()
    status = world.status(uid)
    assert waiting(status) == "CreateContainerConfigError"
    assert status["containerStatuses"][0]["state"]["waiting"]["message"] == 'configmap "cm" not found'
    assert (uid, "Failed", 'Error: configmap "cm" not found') in world.api.events
    world.api.set_object("configmaps default/cm", {"data": {"a": "1"}})
    world.change()
    assert world.status(uid)["phase"] == "Running"
    assert world.machine.pods[uid].containers[0].spec.env["A"] == "1"


def test_an_image_that_can_not_be_pulled_is_told_and_tried_again(world: World) -> None:
    broken = pod()
    broken["spec"]["containers"][0]["image"] = "registry.invalid/x:1"
    uid = world.api.put(broken)
    world.change()
    assert waiting(world.status(uid)) == "ErrImagePull"
    world.run(10)
    assert waiting(world.status(uid)) == "ImagePullBackOff"
    assert {"Failed", "BackOff"} <= world.reasons()


def test_a_volume_of_an_unsupported_kind_is_refused_by_its_field(world: World) -> None:
    wants = pod()
    wants["spec"]["volumes"] = [
        {"name": "data", "iscsi": {"targetPortal": "10.0.0.9:3260", "iqn": "x", "lun": 0}}
    ]
    uid = world.api.put(wants)
    world.change()
    said = "spec.volumes[0].iscsi: this kind of volume is not supported"
    assert world.status(uid)["containerStatuses"][0]["state"]["waiting"] == {
        "reason": "UnsupportedByRuntime",
        "message": said,
    }
    assert (uid, "Failed", said) in world.api.events
    world.api.delete(uid, 0, world.clock.at)
    world.change()
    assert uid not in world.api.pods


def test_a_dead_sandbox_is_made_again_with_its_containers(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.runtime.kill_sandbox(uid)
    world.run()
    assert condition(world.status(uid), "Ready")["status"] == "True"
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 1


def test_a_log_that_is_asked_for_is_delivered(world: World) -> None:
    uid = world.api.put(pod(annotations={"log": "one\\ntwo\\nthree"}))
    world.change()
    assert uid in world.machine.pods
    asked = {"namespace": "default", "name": "web-1", "container": "web"}
    world.api.streams = [
        {"id": "s1", **asked, "options": {"tail": 2}},
        {"id": "s2", **asked, "options": {"previous": True}},
    ]
    world.change()
    assert world.api.streamed["s1"] == b"two\nthree\n"
    assert world.api.streamed["s2"] == b'previous terminated container "web" in pod "web-1" not found\n'


def test_a_pod_past_its_active_deadline_fails(world: World) -> None:
    wants = pod()
    wants["spec"]["activeDeadlineSeconds"] = 5
    uid = world.api.put(wants)
    world.change(4)
    assert world.status(uid)["phase"] == "Running"
    world.run(2)
    assert (world.status(uid)["phase"], world.status(uid)["reason"]) == ("Failed", "DeadlineExceeded")
    assert "running" not in world.status(uid)["containerStatuses"][0]["state"]


def test_service_rules_that_somebody_took_away_come_back_in_a_quiet_cluster(world: World) -> None:
    world.change()
    world.network.in_force = False
    world.run(20)
    assert world.network.in_force


def test_an_engine_that_is_down_makes_the_node_not_ready_until_it_is_back(world: World) -> None:
    uid = world.api.put(pod())
    world.change()
    world.machine.reachable = False
    world.run(20)
    assert len(world.api.requests) < 20
    assert world.api.node is not None
    assert condition(world.api.node["status"], "Ready")["status"] == "False"
    assert world.status(uid)["phase"] == "Running"
    world.machine.reachable = True
    world.run(20)
    assert condition(world.api.node["status"], "Ready")["status"] == "True"


def test_an_api_without_answer_is_asked_less_and_less_often(tmp_path: Path) -> None:
    api = MemoryApi()
    api.down = True
    world = World(tmp_path, api=api)
    world.run(60)
    assert 10 < len(api.requests) < 30


def test_a_new_agent_removes_the_folders_of_pods_that_are_gone(world: World) -> None:
    wants = pod("kept")
    wants["spec"]["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    uid = world.api.put(wants)
    world.change()
    folders = world.folder / "pods" / "n1"
    (folders / "uid-gone" / "volumes").mkdir(parents=True)
    world.begin()
    world.run()
    assert [f.name for f in folders.iterdir()] == [uid]
    world.api.delete(uid, 1, world.clock.at)
    world.change()
    assert list(folders.iterdir()) == []


def test_a_configmap_that_changes_is_seen_in_the_volume_of_a_running_pod(world: World) -> None:
    wants = pod("kept")
    wants["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "cm"}}]
    world.api.set_object("configmaps default/cm", {"data": {"a": "1"}})
    uid = world.api.put({**wants, "draws_on": ["configmaps default/cm"]})
    world.change()
    file = world.folder / "pods" / "n1" / uid / "volumes" / "conf" / "a"
    assert file.read_text() == "1"
    world.api.set_object("configmaps default/cm", {"data": {"a": "2"}})
    world.change()
    assert file.read_text() == "2"
    assert world.status(uid)["containerStatuses"][0]["restartCount"] == 0
