"""Pods of files: read, run, replaced and ended as the files say, with and without an API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agent.world import START, MemoryApi, World
from workers.agent.static.manifests import BadManifest, Folder, static_pod
from workers.agent.static.mirrors import mirror, todo

WEB = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: web:1
    resources: {requests: {memory: 64Mi}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "manifests"
    made.mkdir()
    return made


def world_of(tmp_path: Path, folder: Path, api: MemoryApi | None = None, **more: Any) -> World:
    made = World(tmp_path / "state", api=api, static_pods=str(folder), **more)
    made.run()
    return made


def mirrors_of(world: World) -> list[Any]:
    return [
        p for p in world.api.pods.values() if "kubernetes.io/config.mirror" in p["metadata"]["annotations"]
    ]


def running(world: World) -> list[str]:
    return [p.pod.name for p in world.runtime.pods() if any(c.state == "running" for c in p.containers)]


# -- files -----------------------------------------------------------------------------------------------


def test_a_file_becomes_a_pod_of_the_node_with_defaults(folder: Path) -> None:
    pod = static_pod(WEB.encode(), folder / "web.yaml", "pole", START)
    assert pod["metadata"]["name"] == "web-pole"
    assert pod["metadata"]["namespace"] == "default"
    assert pod["spec"]["nodeName"] == "pole"
    assert pod["spec"]["restartPolicy"] == "Always"
    assert {"operator": "Exists", "effect": "NoExecute"} in pod["spec"]["tolerations"]
    notes = pod["metadata"]["annotations"]
    assert notes["kubernetes.io/config.source"] == "file"
    assert notes["kubernetes.io/config.hash"] == pod["metadata"]["uid"]


def test_a_pods_uid_is_the_same_until_its_file_or_its_place_changes(folder: Path) -> None:
    def uid(text: str = WEB, file: str = "web.yaml", node: str = "n1", now: float = START) -> str:
        return str(static_pod(text.encode(), folder / file, node, now)["metadata"]["uid"])

    assert uid() == uid(now=START + 60)
    assert len({uid(), uid(WEB.replace("web:1", "web:2")), uid(file="b.yaml"), uid(node="n2")}) == 4


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "can't be read"),
        ("- a", "holds no object"),
        ("apiVersion: apps/v1\nkind: Deployment", "holds a apps/v1 Deployment, and no v1 Pod"),
        (WEB.replace("image: web:1", "picture: web:1"), 'unknown field "spec.containers\\[0\\].picture"'),
        (WEB.replace("name: c", "name: C!"), "Invalid value"),
        (WEB + "    envFrom: [{configMapRef: {name: a}}]", "static pods can not reference configmaps"),
        (WEB.replace("metadata:", "metadata:\n  uid: ../other", 1), "must consist of letters"),
        (WEB + "  serviceAccountName: a", "static pods can not reference serviceaccounts"),
    ],
)
def test_a_file_that_holds_no_pod_to_run_says_why(folder: Path, text: str, why: str) -> None:
    with pytest.raises(BadManifest, match=why):
        static_pod(text.encode(), folder / "web.yaml", "n1", START)


def test_json_is_read_too_and_hidden_files_are_not(folder: Path) -> None:
    (folder / "a.json").write_text(
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
    )
    (folder / ".web.yaml.swp").write_text(WEB)
    look = Folder(folder, "n1")
    assert look.look(START)
    assert [pod["metadata"]["name"] for pod in look.pods.values()] == ["a-n1"]
    assert not look.faults
    assert not look.look(START)


def test_a_file_that_can_not_be_read_any_more_keeps_its_pod_and_others_go_on(folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    look = Folder(folder, "n1")
    look.look(START)
    (folder / "web.yaml").write_text(WEB + "  containers: [")
    (folder / "other.yaml").write_text(WEB.replace("name: web", "name: other"))
    assert look.look(START)
    assert sorted(pod["metadata"]["name"] for pod in look.pods.values()) == ["other-n1", "web-n1"]
    assert list(look.faults) == ["web.yaml"]


# -- mirrors ---------------------------------------------------------------------------------------------


def test_a_file_that_goes_while_the_folder_is_read_is_no_fault_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "web.yaml").write_text(WEB)
    listed = [*folder.iterdir(), folder / "draft.yaml"]
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    seen = Folder(folder, "n1")
    assert seen.look(0.0)
    assert (list(seen.pods), seen.faults) == (["web.yaml"], {})


def test_links_that_lead_nowhere_keep_no_other_file_from_being_read(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "gone.yaml").symlink_to(folder / "nothing")
    (folder / "no-folder.yaml").symlink_to(folder / "web.yaml" / "x")
    (folder / "web.yaml").write_text(WEB)
    read = Folder(folder, "n1")
    assert read.look(START)
    assert (list(read.pods), read.faults) == (["web.yaml"], {})


def test_a_mirror_is_made_once_and_made_again_when_it_goes_or_stands_for_another(folder: Path) -> None:
    pod = static_pod(WEB.encode(), folder / "web.yaml", "n1", START)
    made = mirror(pod, "node-uid")
    assert made["metadata"]["ownerReferences"][0] == {
        "apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid", "controller": True,
    }  # fmt: skip
    assert todo([pod], []) == ([pod], [])
    assert todo([pod], [made]) == ([], [])
    marked = {**made, "metadata": {**made["metadata"], "deletionTimestamp": "2027-01-15T08:00:00Z"}}
    assert todo([pod], [marked]) == ([], [marked])
    newer = static_pod(WEB.replace("web:1", "web:2").encode(), folder / "web.yaml", "n1", START)
    assert todo([newer], [made]) == ([], [made])
    assert todo([], [made]) == ([], [made])
    over = {**made, "status": {"phase": "Failed"}}
    assert todo([pod], [over]) == ([], [over])


# -- the agent -------------------------------------------------------------------------------------------


def test_a_pod_of_a_file_runs_and_its_mirror_shows_how_it_is(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    assert running(world) == ["web-n1"]
    [shown] = mirrors_of(world)
    assert shown["status"]["phase"] == "Running"
    assert shown["metadata"]["labels"] == {"app": "web"}
    assert shown["metadata"]["uid"] != shown["metadata"]["annotations"]["kubernetes.io/config.mirror"]


def test_deleting_the_mirror_ends_nothing_and_another_is_made(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    [before] = mirrors_of(world)
    started = world.runtime.pods()[0].containers[0].started_at
    world.api.delete(before["metadata"]["uid"], 30, world.clock.now())
    world.change(2)
    [after] = mirrors_of(world)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["status"]["phase"] == "Running"
    world.api.vanish(after["metadata"]["uid"])
    world.change(2)
    assert len(mirrors_of(world)) == 1
    assert world.runtime.pods()[0].containers[0].started_at == started


def test_a_file_that_changes_replaces_its_pod_and_one_that_goes_ends_it(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    (folder / "web.yaml").write_text(WEB.replace("image: web:1", "image: web:22"))
    world.run(5)
    assert [c.image for p in world.runtime.pods() for c in p.containers] == ["web:22"]
    [shown] = mirrors_of(world)
    assert shown["spec"]["containers"][0]["image"] == "web:22"
    assert shown["status"]["containerStatuses"][0]["image"] == "web:22"
    (folder / "web.yaml").unlink()
    world.run(5)
    assert world.runtime.pods() == []
    assert mirrors_of(world) == []


def test_a_broken_file_is_told_as_an_event_of_the_node_and_others_run(tmp_path: Path, folder: Path) -> None:
    (folder / "bad.yaml").write_text("kind: Pod")
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    assert running(world) == ["web-n1"]
    told = [(uid, message) for uid, reason, message in world.api.events if reason == "FailedStaticPod"]
    assert len(told) == 1
    assert told[0][0] == "n1"
    assert "bad.yaml" in told[0][1]


def test_a_new_agent_adopts_static_pods_that_run(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    [before] = mirrors_of(world)
    started = world.runtime.pods()[0].containers[0].started_at
    world.begin()
    world.run(2)
    assert world.runtime.pods()[0].containers[0].started_at == started
    assert [m["metadata"]["uid"] for m in mirrors_of(world)] == [before["metadata"]["uid"]]


def test_static_pods_run_though_the_api_is_away_when_the_agent_starts(tmp_path: Path, folder: Path) -> None:
    world = world_of(tmp_path, folder)
    other = world.api.put(_plain())
    world.change(2)
    world.api.down = True
    (folder / "web.yaml").write_text(WEB)
    world.begin()
    world.run(5)
    # Nothing is known of the other pod, so it is left alone.
    assert sorted(running(world)) == ["plain", "web-n1"]
    assert len({p.address for p in world.runtime.pods()}) == 2
    world.api.down = False
    world.run(10)
    assert sorted(running(world)) == ["plain", "web-n1"]
    assert len(mirrors_of(world)) == 1
    assert world.status(other)["phase"] == "Running"


def test_what_stands_for_pods_of_no_file_is_deleted(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    world.settings = {}
    world.begin()
    world.run(5)
    assert mirrors_of(world) == []
    assert running(world) == []


def test_a_static_pod_that_does_not_fit_is_rejected(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB.replace("64Mi", "1Ti"))
    world = world_of(tmp_path, folder)
    world.run(2)
    [shown] = mirrors_of(world)
    assert (shown["status"]["phase"], shown["status"]["reason"]) == ("Failed", "OutOfmemory")
    assert running(world) == []


def _plain() -> Any:
    meta = {"name": "plain", "namespace": "default", "uid": "uid-plain", "annotations": {}}
    spec = {"nodeName": "n1", "restartPolicy": "Always", "containers": [{"name": "c", "image": "i"}]}
    return {"kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}


def test_what_the_api_asks_of_a_mirror_is_found_by_its_uid_there(tmp_path: Path, folder: Path) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    [shown] = mirrors_of(world)
    record = world.agent.pods.find("default", "web-n1")
    assert record is not None
    assert record.known_as == shown["metadata"]["uid"]


def test_a_static_pod_that_a_shutdown_ended_runs_again_when_the_machine_stays_or_comes_back(
    tmp_path: Path, folder: Path
) -> None:
    (folder / "web.yaml").write_text(WEB)
    world = world_of(tmp_path, folder)
    for again in (world.agent.shutdown.cancel, world.begin):
        world.agent.shutdown.begin()
        world.run(40)
        [ended] = mirrors_of(world)
        assert (ended["status"]["phase"], ended["status"]["reason"]) == ("Failed", "Terminated")
        again()
        world.run(30)
        [shown] = mirrors_of(world)
        assert shown["status"]["phase"] == "Running"
        assert shown["metadata"]["uid"] != ended["metadata"]["uid"]
        assert running(world) == ["web-n1"]
