"""StatefulSets: who the pods are, what they keep, and their history."""

from __future__ import annotations

import pytest

from app.objects.meta import controller_of, labels
from tests.controllers.stateful_worlds import KEY, change, names, put, settle, status
from tests.controllers.worlds import World, pod, pod_template, stateful_set
from workers.controllers import all as controllers
from workers.controllers import garbage
from workers.controllers.stateful import stateful_set as stateful_sets


@pytest.fixture
def world() -> World:
    return World([stateful_sets.role(30), garbage.role(controllers.where)])


def test_pods_are_numbered_and_named_for_the_service(world: World) -> None:
    put(world, replicas=2)

    assert names(world) == ["web-0", "web-1"]
    second = world.get("pods", "default/web-1")
    assert second is not None
    assert (second["spec"]["hostname"], second["spec"]["subdomain"]) == ("web-1", "web")
    assert labels(second) == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-1",
        "apps.kubernetes.io/pod-index": "1",
        "controller-revision-hash": status(world)["updateRevision"],
    }


def test_numbers_start_where_they_are_told_to(world: World) -> None:
    put(world, replicas=2, ordinals={"start": 5})
    assert names(world) == ["web-5", "web-6"]

    change(world, ordinals={"start": 6})
    assert names(world) == ["web-6", "web-7"]


def test_its_status_counts_what_is_there(world: World) -> None:
    put(world, replicas=2)

    revision = status(world)["updateRevision"]
    assert status(world) == {
        "observedGeneration": 1,
        "replicas": 2,
        "readyReplicas": 2,
        "currentReplicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }


def test_a_new_pod_counts_as_available_only_after_min_ready_seconds(world: World) -> None:
    world.put("statefulsets.apps", stateful_set(replicas=2, minReadySeconds=10))
    world.settle()
    world.make_ready("default/web-0")
    world.settle()
    assert names(world) == ["web-0"]
    assert status(world)["readyReplicas"] == 1
    assert status(world)["availableReplicas"] == 0

    world.advance(11)
    assert names(world) == ["web-0", "web-1"]


def test_an_update_replaces_the_pods_and_keeps_the_old_revision(world: World) -> None:
    put(world, replicas=2)
    before = status(world)["currentRevision"]
    change(world, template=pod_template("web:2"))

    assert {p["spec"]["containers"][0]["image"] for p in world.list("pods")} == {"web:2"}
    assert status(world)["currentRevision"] != before
    assert sorted(r["revision"] for r in world.list("controllerrevisions.apps")) == [1, 2]


def test_pods_before_the_partition_stay_as_they_are_even_when_made_anew(world: World) -> None:
    put(world, replicas=3)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    change(world, template=pod_template("web:2"), updateStrategy=rolling)
    assert [p["spec"]["containers"][0]["image"] for p in world.list("pods")] == ["web:1", "web:1", "web:2"]

    world.remove("pods", "default/web-0")
    settle(world)
    assert [p["spec"]["containers"][0]["image"] for p in world.list("pods")] == ["web:1", "web:1", "web:2"]
    assert status(world)["currentRevision"] != status(world)["updateRevision"]
    assert (status(world)["currentReplicas"], status(world)["updatedReplicas"]) == (2, 1)


def test_on_delete_pods_are_updated_when_somebody_deletes_them(world: World) -> None:
    put(world, replicas=2, updateStrategy={"type": "OnDelete"})
    change(world, template=pod_template("web:2"))
    assert [p["spec"]["containers"][0]["image"] for p in world.list("pods")] == ["web:1", "web:1"]

    world.remove("pods", "default/web-0")
    settle(world)
    assert [p["spec"]["containers"][0]["image"] for p in world.list("pods")] == ["web:2", "web:1"]


def test_going_back_to_an_old_template_takes_up_its_revision_again(world: World) -> None:
    put(world, replicas=1)
    first = status(world)["currentRevision"]
    change(world, template=pod_template("web:2"))
    change(world, template=pod_template("web:1"))

    assert status(world)["currentRevision"] == first
    assert sorted((r["revision"]) for r in world.list("controllerrevisions.apps")) == [2, 3]


def test_a_revision_holds_the_patch_that_undo_sends(world: World) -> None:
    put(world, replicas=1)
    (revision,) = world.list("controllerrevisions.apps")
    template = revision["data"]["spec"]["template"]

    assert template["$patch"] == "replace"
    assert {k: v for k, v in template.items() if k != "$patch"} == pod_template("web:1")
    assert list(template) == sorted(template)
    assert labels(revision)["app"] == "web"


def test_old_revisions_beyond_the_limit_are_forgotten(world: World) -> None:
    put(world, replicas=1, revisionHistoryLimit=1)
    for number in range(2, 6):
        change(world, template=pod_template(f"web:{number}"))

    assert sorted(r["revision"] for r in world.list("controllerrevisions.apps")) == [4, 5]


def test_a_revision_whose_name_is_taken_gets_another(world: World) -> None:
    other = World([stateful_sets.role(30)])
    put(other, replicas=0)
    (name,) = names(other, "controllerrevisions.apps")
    world.put(
        "controllerrevisions.apps",
        {"metadata": {"name": name, "namespace": "default"}, "data": {}, "revision": 1},
    )
    put(world, replicas=1)

    assert status(world)["collisionCount"] == 1
    assert status(world)["updateRevision"] != name
    assert names(world) == ["web-0"]


@pytest.mark.parametrize(
    ("phase", "reason"), [("Failed", "RecreatingFailedPod"), ("Succeeded", "RecreatingTerminatedPod")]
)
def test_a_pod_that_ended_is_made_anew(world: World, phase: str, reason: str) -> None:
    put(world, replicas=2)
    uid = world.objects["pods"]["default/web-0"]["metadata"]["uid"]
    world.edit("pods", "default/web-0", lambda p: p["status"].update(phase=phase, conditions=[]))
    settle(world)

    assert world.objects["pods"]["default/web-0"]["metadata"]["uid"] != uid
    assert reason in [event.reason for event in world.events]


def test_a_pod_that_is_terminating_has_no_successor_until_it_is_gone(world: World) -> None:
    put(world, replicas=2, podManagementPolicy="Parallel")
    ending = {"deletionTimestamp": "2027-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    world.edit("pods", "default/web-1", lambda p: p["spec"].update(nodeName="lost"))
    world.edit("pods", "default/web-1", lambda p: p["metadata"].update(ending))
    world.settle()
    assert world.objects["pods"]["default/web-1"]["spec"]["nodeName"] == "lost"

    world.remove("pods", "default/web-1")
    world.settle()
    assert "nodeName" not in world.objects["pods"]["default/web-1"]["spec"]


def test_nothing_is_made_while_somebody_elses_pod_has_the_name(world: World) -> None:
    world.put("pods", pod("web-0", app="other"))
    put(world, replicas=1)
    assert labels(world.objects["pods"]["default/web-0"])["app"] == "other"

    world.remove("pods", "default/web-0")
    settle(world)
    assert labels(world.objects["pods"]["default/web-0"])["app"] == "web"


def test_orphans_of_its_names_are_adopted_and_get_the_labels_of_who_they_are(world: World) -> None:
    world.put("pods", pod("web-1"))
    world.put("pods", pod("web-stray"))
    world.make_ready("default/web-1")
    put(world, replicas=2, updateStrategy={"type": "OnDelete"})

    adopted = world.objects["pods"]["default/web-1"]
    assert (controller_of(adopted) or {})["name"] == "web"
    assert labels(adopted)["apps.kubernetes.io/pod-index"] == "1"
    assert controller_of(world.objects["pods"]["default/web-stray"]) is None


def test_a_pod_that_no_longer_matches_is_let_go(world: World) -> None:
    put(world, replicas=1)
    world.edit("pods", "default/web-0", lambda p: p["metadata"].update(labels={"app": "debug"}))
    world.settle()

    assert controller_of(world.objects["pods"]["default/web-0"]) is None


def test_a_set_that_is_being_deleted_does_nothing_more(world: World) -> None:
    put(world, replicas=1)
    world.edit(
        "statefulsets.apps",
        KEY,
        lambda s: s["metadata"].update(
            deletionTimestamp="2027-01-01T00:00:00Z", finalizers=["example.com/wait"]
        ),
    )
    world.remove("pods", "default/web-0")
    world.settle()

    assert names(world) == []
    assert status(world)["replicas"] == 0


def test_a_set_made_again_takes_over_what_its_predecessor_left(world: World) -> None:
    put(world, replicas=2)
    uids = [p["metadata"]["uid"] for p in world.list("pods")]
    for resource in ("pods", "controllerrevisions.apps"):
        for key in world.keys(resource):
            world.edit(resource, key, lambda o: o["metadata"].update(ownerReferences=[]))
            world.queue.clear()
    world.remove("statefulsets.apps", KEY)
    world.settle()
    put(world, replicas=2)

    assert [p["metadata"]["uid"] for p in world.list("pods")] == uids
    assert [r["revision"] for r in world.list("controllerrevisions.apps")] == [1]


def test_a_name_that_no_host_can_have_is_told_of_and_no_pod_is_made(world: World) -> None:
    name = "n" * 62
    world.put("statefulsets.apps", stateful_set(name, replicas=1))
    world.settle()

    assert names(world) == []
    (told,) = {event.message for event in world.events if event.reason == "FailedCreate"}
    assert told == (
        f'create Pod {name}-0 in StatefulSet {name} failed error: Pod "{name}-0" is invalid: spec.hostname: '
        f'Invalid value: "{name}-0": must be no more than 63 characters'
    )


def test_the_name_of_a_revision_fits_into_a_label(world: World) -> None:
    name = "n" * 60
    world.put("statefulsets.apps", stateful_set(name, replicas=1))
    world.settle()

    (pod_of_it,) = world.list("pods")
    assert labels(pod_of_it)["controller-revision-hash"] in names(world, "controllerrevisions.apps")
    assert all(len(value) <= 63 for value in labels(pod_of_it).values())


@pytest.mark.parametrize("data", [5, [], {}, {"spec": 1}, {"spec": {"template": "x"}}])
def test_revisions_that_hold_something_else_are_left_alone(world: World, data: object) -> None:
    meta = {"name": "strange", "namespace": "default", "labels": {"app": "web"}}
    world.put("controllerrevisions.apps", {"metadata": meta, "data": data, "revision": 7})
    put(world, replicas=1)

    assert names(world) == ["web-0"]
    assert controller_of(world.objects["controllerrevisions.apps"]["default/strange"]) is None
