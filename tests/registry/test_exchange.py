from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.base.errors import BadRequest
from app.base.ids import RandomIds
from app.registry.registry import Registry
from app.store.view import View

LEASES = "leases.coordination.k8s.io"
SLICES = "endpointslices.discovery.k8s.io"
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2027-01-15T08:00:01Z"}


@pytest.fixture
def node(world: Any, make: Any) -> Any:
    """A world with one registered node."""
    say(world, node=make.node())
    return world


def say(world: Any, name: str = "n1", **report: Any) -> dict[str, Any]:
    """One exchange of a node; the answer as it arrives at the other side, all in one."""
    known = {field: report.get(field, 0) for field in ("since", "epoch")}
    answer = together(world, known, **{name: report})
    return {**answer, **answer["network"], **answer["nodes"][name]}


def together(world: Any, network: dict[str, Any] | None = None, **nodes: Any) -> dict[str, Any]:
    """One exchange of several nodes."""
    said = {"network": network or {}, "nodes": nodes}
    answer: dict[str, Any] = orjson.loads(world.registry.exchange_json(said))
    return answer


def status(pod: dict[str, Any], **fields: Any) -> dict[str, Any]:
    meta = pod["metadata"]
    return {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"], "status": fields}


def removed(pod: dict[str, Any]) -> dict[str, Any]:
    meta = pod["metadata"]
    return {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def test_a_new_node_is_registered_with_a_range_and_a_lease(world: Any, make: Any) -> None:
    answer = say(world, node=make.node(labels={"kubernetes.io/hostname": "n1"}))
    assert answer["podCIDR"] == "10.244.1.0/24"
    assert (answer["full"], answer["sendNode"], answer["interval"]) == (True, False, 5.0)
    stored = world.must("nodes", "n1")
    assert stored["spec"]["podCIDR"] == "10.244.1.0/24"
    assert stored["metadata"]["labels"] == {"kubernetes.io/hostname": "n1"}
    lease = world.must(LEASES, "kube-node-lease/n1")
    assert lease["spec"] == {
        "holderIdentity": "n1", "leaseDurationSeconds": 20, "renewTime": "2027-01-15T08:00:00.000000Z",
    }  # fmt: skip
    assert lease["metadata"]["ownerReferences"][0]["uid"] == stored["metadata"]["uid"]


def test_a_node_that_nobody_knows_is_asked_to_introduce_itself(world: Any) -> None:
    answer = say(world)
    assert answer["sendNode"]
    assert answer["podCIDR"] == ""
    assert world.get(LEASES, "kube-node-lease/n1") is None


def test_nodes_that_come_at_once_get_different_ranges(small_world: Callable[..., Any], make: Any) -> None:
    world = small_world(pod_cidr="10.244.0.0/20")
    second = world.another(2)
    second.view.catch_up()
    first = say(world, "n1", node=make.node("n1"))
    other = second.exchange({"nodes": {"n2": {"node": make.node("n2")}}})
    assert first["podCIDR"] != other["nodes"]["n2"]["podCIDR"]


def test_the_lease_is_renewed_at_most_once_an_interval(node: Any) -> None:
    revision = node.store.revision()
    for _ in range(3):
        node.clock.at += 1
        say(node, since=revision)
    assert node.store.revision() == revision
    node.clock.at += 2
    say(node, since=revision)
    assert node.must(LEASES, "kube-node-lease/n1")["spec"]["renewTime"] == "2027-01-15T08:00:05.000000Z"
    assert node.store.revision() == revision + 1


def test_an_interval_of_nothing_renews_the_lease_every_time(
    small_world: Callable[..., Any], make: Any
) -> None:
    world = small_world(exchange=0.0)
    say(world, node=make.node())
    world.clock.at += 1
    say(world)
    assert world.must(LEASES, "kube-node-lease/n1")["spec"]["renewTime"] == "2027-01-15T08:00:01.000000Z"


def test_what_users_set_on_a_node_stays(node: Any, make: Any) -> None:
    spec = {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]}
    node.patch("nodes", "n1", {"metadata": {"labels": {"mine": "yes"}}, "spec": spec})
    sent = make.node(labels={"os": "linux"})
    sent["spec"] = {"taints": []}
    sent["status"]["capacity"] = {"cpu": "4"}
    besides = {"capacity": {"example.com/dongle": "2"}, "allocatable": {"example.com/dongle": "1"}}
    node.patch("nodes", "n1", {"status": besides}, subresource="status")
    say(node, node=sent)
    stored = node.must("nodes", "n1")
    assert stored["metadata"]["labels"] == {"mine": "yes", "os": "linux"}
    assert stored["spec"]["unschedulable"] is True
    assert stored["spec"]["taints"] == spec["taints"]
    assert stored["spec"]["podCIDR"] == "10.244.1.0/24"
    assert stored["status"]["capacity"] == {"cpu": "4", "example.com/dongle": "2"}
    assert stored["status"]["allocatable"]["example.com/dongle"] == "1"


def test_a_newer_heartbeat_alone_is_not_written(node: Any, make: Any) -> None:
    before = node.store.revision()
    sent = make.node()
    sent["status"]["conditions"][0].update(
        lastHeartbeatTime="2027-01-15T09:00:00Z", lastTransitionTime="2027-01-15T09:00:00Z"
    )
    say(node, node=sent)
    assert node.store.revision() == before


def test_a_node_that_was_given_up_is_asked_to_speak_and_is_ready_again(node: Any, make: Any) -> None:
    unknown = [{"type": "Ready", "status": "Unknown", "lastTransitionTime": "2027-01-15T08:05:00Z"}]
    node.patch("nodes", "n1", {"status": {"conditions": unknown}}, subresource="status")
    assert say(node)["sendNode"]
    sent = make.node()
    sent["status"]["conditions"][0]["lastTransitionTime"] = "2027-01-15T08:06:00Z"
    assert not say(node, node=sent)["sendNode"]
    assert node.must("nodes", "n1")["status"]["conditions"] == sent["status"]["conditions"]


def test_statuses_of_many_pods_are_written_and_not_told_back(node: Any, make: Any) -> None:
    pods = [node.create("pods", make.pod(f"p{n}", nodeName="n1")) for n in range(5)]
    known = say(node)
    assert [p["metadata"]["name"] for p in known["pods"]] == [f"p{n}" for n in range(5)]
    statuses = [status(p, phase="Running", podIP="10.244.1.5", conditions=[READY]) for p in pods]
    answer = say(node, since=known["revision"], epoch=known["epoch"], statuses=statuses)
    assert answer["pods"] == []
    for pod in pods:
        stored = node.must("pods", f"default/{pod['metadata']['name']}")["status"]
        assert stored == {
            "phase": "Running",
            "podIP": "10.244.1.5",
            "qosClass": "BestEffort",
            "conditions": [READY],
        }
    before = node.store.revision()
    say(node, since=known["revision"], epoch=known["epoch"], statuses=statuses)
    assert node.store.revision() == before


def test_what_an_agent_says_of_a_pod_carries_on_the_trace_of_what_it_was_told(node: Any, make: Any) -> None:
    known = say(node)
    pod = node.create("pods", make.pod(nodeName="n1"))
    told = say(node, since=known["revision"], epoch=known["epoch"])
    event = {
        "regarding": {"kind": "Pod", **removed(pod)},
        "type": "Normal",
        "reason": "Started",
        "message": "m",
    }
    say(
        node,
        since=told["revision"],
        epoch=known["epoch"],
        statuses=[status(pod, phase="Running")],
        events=[event],
    )
    view = View(node.store)
    view.catch_up()
    made = int(pod["metadata"]["resourceVersion"])
    after = view.changes_since(made)
    assert [(c.resource, c.actor, c.trace.id, c.trace.cause) for c in after] == [
        ("pods", "system:node:n1", "t1", made),
        ("events", "system:node:n1", "t1", made),
    ]


def test_statuses_and_others_writing_to_the_same_pods_all_take_effect(node: Any, make: Any) -> None:
    pods = [node.create("pods", make.pod(f"p{n}", nodeName="n1")) for n in range(3)]

    def label() -> None:
        for step in range(30):
            node.patch("pods", f"p{step % 3}", {"metadata": {"labels": {f"l{step}": "x"}}})

    other = threading.Thread(target=label)
    other.start()
    for step in range(20):
        say(node, statuses=[status(p, phase="Running", message=str(step)) for p in pods])
    other.join()
    for number, pod in enumerate(pods):
        stored = node.must("pods", f"default/{pod['metadata']['name']}")
        assert stored["status"]["message"] == "19"
        assert {f"l{step}" for step in range(number, 30, 3)} <= stored["metadata"]["labels"].keys()


def test_conditions_that_others_set_stay(node: Any, make: Any) -> None:
    pod = node.create("pods", make.pod(nodeName="n1"))
    scheduled = {"type": "PodScheduled", "status": "True"}
    node.patch("pods", "p", {"status": {"conditions": [scheduled]}}, subresource="status")
    say(node, statuses=[status(pod, phase="Running", conditions=[READY])])
    assert node.must("pods", "default/p")["status"]["conditions"] == [READY, scheduled]


def test_a_word_about_another_pod_is_ignored(node: Any, make: Any) -> None:
    mine = node.create("pods", make.pod("mine", nodeName="n1"))
    theirs = node.create("pods", make.pod("theirs", nodeName="n2"))
    statuses = [
        status({"metadata": {**mine["metadata"], "uid": "old"}}, phase="Failed"),
        status(theirs, phase="Failed"),
        status({"metadata": {**mine["metadata"], "name": "nobody"}}, phase="Failed"),
    ]
    say(
        node,
        statuses=statuses,
        removed=[removed(theirs), removed({"metadata": {**mine["metadata"], "uid": "old"}})],
    )
    assert node.must("pods", "default/mine") == mine
    assert node.must("pods", "default/theirs") == theirs


def test_a_finished_pod_stays_finished(node: Any, make: Any) -> None:
    pod = node.create("pods", make.pod(nodeName="n1"))
    say(node, statuses=[status(pod, phase="Failed", reason="Evicted")])
    say(node, statuses=[status(pod, phase="Running")])
    assert node.must("pods", "default/p")["status"]["phase"] == "Failed"


def test_a_deleted_pod_goes_for_good_once_its_containers_are_gone(node: Any, make: Any) -> None:
    pod = node.create("pods", make.pod(nodeName="n1"))
    known = say(node)
    node.delete("pods", "p")
    marked = say(node, since=known["revision"], epoch=known["epoch"])
    assert marked["pods"][0]["metadata"]["deletionGracePeriodSeconds"] == 30
    last = status(pod, phase="Succeeded", conditions=[{**READY, "status": "False"}])
    gone = say(node, since=marked["revision"], epoch=known["epoch"], statuses=[last], removed=[removed(pod)])
    assert node.get("pods", "default/p") is None
    assert gone["gone"] == [pod["metadata"]["uid"]]
    view = View(node.store)
    view.catch_up()
    [change] = [c for c in view.changes_since(marked["revision"]) if c.resource == "pods"]
    assert change.new["status"]["phase"] == "Succeeded"
    assert say(node, since=gone["revision"], epoch=known["epoch"], removed=[removed(pod)])["gone"] == []


def test_a_pod_that_nobody_deleted_is_not_removed(node: Any, make: Any) -> None:
    pod = node.create("pods", make.pod(nodeName="n1"))
    say(node, removed=[removed(pod)])
    assert node.must("pods", "default/p") == pod


def test_a_deleted_pod_with_a_finalizer_waits_for_it(node: Any, make: Any) -> None:
    raw = make.pod(nodeName="n1")
    raw["metadata"]["finalizers"] = ["example.com/f"]
    pod = node.create("pods", raw)
    node.delete("pods", "p")
    say(node, removed=[removed(pod)])
    assert node.must("pods", "default/p")["metadata"]["deletionGracePeriodSeconds"] == 0
    node.patch("pods", "p", {"metadata": {"finalizers": None}})
    assert node.get("pods", "default/p") is None


def test_only_what_changed_comes_down_and_what_was_replaced_is_gone(node: Any, make: Any) -> None:
    old = node.create("pods", make.pod("a", nodeName="n1"))
    node.create("pods", make.pod("b", nodeName="n1"))
    node.create("pods", make.pod("c", nodeName="n2"))
    known = say(node)
    node.delete("pods", "a", grace=0)
    new = node.create("pods", make.pod("a", nodeName="n1"))
    node.patch("pods", "c", {"metadata": {"labels": {"x": "y"}}})
    answer = say(node, since=known["revision"], epoch=known["epoch"])
    assert not answer["full"]
    assert [p["metadata"]["uid"] for p in answer["pods"]] == [new["metadata"]["uid"]]
    assert answer["gone"] == [old["metadata"]["uid"]]


def test_what_others_say_of_a_pod_is_told_to_its_agent(node: Any, make: Any) -> None:
    pod = node.create("pods", make.pod(nodeName="n1"))
    known = say(node, statuses=[status(pod, phase="Running", conditions=[READY])])
    not_ready = [{**READY, "status": "False"}]
    node.patch("pods", "p", {"status": {"conditions": not_ready}}, subresource="status")
    answer = say(node, since=known["revision"], epoch=known["epoch"])
    assert answer["pods"][0]["status"]["conditions"] == not_ready


def test_services_and_slices_of_the_whole_cluster_come_down(node: Any, make: Any) -> None:
    known = say(node)
    assert [s["metadata"]["name"] for s in known["services"]] == ["kubernetes"]
    assert [s["metadata"]["name"] for s in known["endpointslices"]] == ["kubernetes"]
    node.create("services", make.service())
    first = say(node, since=known["revision"], epoch=known["epoch"])
    assert [s["metadata"]["name"] for s in first["services"]] == ["web"]
    assert first["endpointslices"] == []
    node.delete("services", "web")
    second = say(node, since=first["revision"], epoch=known["epoch"])
    assert (second["services"], second["servicesGone"]) == ([], ["default/web"])


def test_a_pod_brings_the_objects_it_draws_on_and_they_come_again_when_they_change(
    node: Any, make: Any
) -> None:
    made = node.create("configmaps", make.config_map("cm", k="1"))
    known = say(node)
    volumes = [{"name": "v", "configMap": {"name": "cm"}}, {"name": "w", "secret": {"secretName": "none"}}]
    node.create("pods", make.pod(nodeName="n1", volumes=volumes))
    mount = [["configmaps", "default/cm"], ["secrets", "default/none"]]
    first = say(node, since=known["revision"], epoch=known["epoch"])
    assert first["objects"] == {"configmaps default/cm": made, "secrets default/none": None}
    second = say(node, since=first["revision"], epoch=known["epoch"], mount=mount)
    assert second["objects"] == {}
    changed = node.patch("configmaps", "cm", {"data": {"k": "2"}})
    third = say(node, since=second["revision"], epoch=known["epoch"], mount=mount)
    assert third["objects"] == {"configmaps default/cm": changed}
    node.delete("configmaps", "cm")
    fourth = say(node, since=third["revision"], epoch=known["epoch"], mount=mount)
    assert fourth["objects"] == {"configmaps default/cm": None}


@pytest.mark.parametrize("since", ["of another epoch", "of the future", "forgotten"])
def test_an_agent_that_can_not_be_told_the_difference_is_told_everything(
    node: Any, make: Any, since: str
) -> None:
    node.create("pods", make.pod(nodeName="n1"))
    known = say(node)
    told = {"since": known["revision"], "epoch": known["epoch"]}
    if since == "of another epoch":
        told["epoch"] += 1
    elif since == "of the future":
        told["since"] += 100
    else:
        view = View(node.store, history=2, keep=False)
        node.registry = Registry(node.store, view, node.clock, RandomIds(5), node.settings)
        for number in range(5):
            node.create("configmaps", make.config_map(f"c{number}"))
    answer = say(node, **told)
    assert answer["full"]
    assert [p["metadata"]["name"] for p in answer["pods"]] == ["p"]


def test_events_are_counted_and_telling_them_twice_counts_once(node: Any, make: Any) -> None:
    pod = node.create("pods", make.pod(nodeName="n1"))
    regarding = {"apiVersion": "v1", "kind": "Pod", **removed(pod), "fieldPath": "spec.containers{web}"}
    told = {"regarding": regarding, "type": "Warning", "reason": "BackOff", "message": "m", "count": 1}
    told |= {"first": node.clock.at, "last": node.clock.at}
    say(node, events=[told])
    say(node, events=[told])
    [event] = node.list("events").objects()
    assert event["involvedObject"] == regarding
    assert (event["count"], event["type"], event["reason"]) == (1, "Warning", "BackOff")
    assert event["source"] == {"component": "kubelet", "host": "n1"}
    say(node, events=[{**told, "count": 4, "last": node.clock.at + 60}])
    [event] = node.list("events").objects()
    assert (event["count"], event["lastTimestamp"]) == (4, "2027-01-15T08:01:00Z")


def test_the_rules_in_force_everywhere_are_those_of_the_slowest_node_that_is_there(
    node: Any, make: Any
) -> None:
    say(node, "n2", node=make.node("n2"), rules=7)
    assert say(node, rules=9)["applied"] == 7
    assert say(node, "n2", rules=8)["applied"] == 8
    say(node, "n3", node=make.node("n3", ready="False"), rules=1)
    assert say(node, rules=9)["applied"] == 8
    node.clock.at += node.settings.node_grace + 1
    assert say(node, rules=9)["applied"] == 9


def test_streams_offered_to_a_node_are_handed_out_once(node: Any) -> None:
    stream = {
        "id": "s1",
        "namespace": "default",
        "name": "p",
        "container": "web",
        "options": {"follow": True},
    }
    node.registry.agents.offer_stream("n1", stream)
    assert say(node)["streams"] == [stream]
    assert say(node)["streams"] == []


def test_an_exchange_makes_way_for_the_next_nudge(node: Any, make: Any) -> None:
    agents = node.registry.agents
    assert agents.set_nudges(["n1"])
    assert agents.set_nudges(["n1"]) == []
    say(node)
    assert agents.set_nudges(["n1"])
    agents.set_nudges(["n1", "n2"])
    together(node, n1={}, n2={})
    assert agents.set_nudges(["n1", "n2"]) == ["n1", "n2"]


@pytest.mark.parametrize(
    "report",
    [
        [], {"since": "x"}, {"node": []}, {"statuses": [{}]}, {"statuses": {}}, {"removed": [1]}, {"mount": [["a"]]},
        {"events": [{"regarding": "x"}]}, {"rules": True}, {"node": {"kind": "Pod"}}, {"node": {"metadata": {"name": "other"}}},
    ],
)  # fmt: skip
def test_a_malformed_report_is_refused_and_changes_nothing(node: Any, report: Any) -> None:
    before = node.store.revision()
    answer = together(node, n1=report)
    assert answer["nodes"]["n1"]["error"]["reason"] == "BadRequest"
    assert node.store.revision() == before


@pytest.mark.parametrize(
    "said", [[], {}, {"nodes": []}, {"nodes": {}, "network": 1}, {"nodes": {}, "network": {"since": "x"}}]
)
def test_what_is_no_exchange_at_all_is_refused(node: Any, said: Any) -> None:
    with pytest.raises(BadRequest):
        node.registry.exchange(said)


def test_many_nodes_speak_in_one_exchange_and_each_is_told_its_own(world: Any, make: Any) -> None:
    names = [f"n{number}" for number in range(20)]
    first = together(world, **{name: {"node": make.node(name)} for name in names})
    ranges = {world.must("nodes", name)["spec"]["podCIDR"] for name in names}
    assert ranges == {answer["podCIDR"] for answer in first["nodes"].values()}
    assert len(ranges) == len(names)
    for name in names:
        assert world.must(LEASES, f"kube-node-lease/{name}")["spec"]["holderIdentity"] == name
    pods = {name: world.create("pods", make.pod(f"p-{name}", nodeName=name)) for name in names}
    known = {"since": first["revision"], "epoch": first["epoch"]}
    told = together(world, known, **dict.fromkeys(names, known))
    for name in names:
        assert told["nodes"][name]["pods"] == [pods[name]]
    assert told["network"]["services"] == []
    known = {"since": told["revision"], "epoch": told["epoch"]}
    statuses = {
        name: {**known, "statuses": [status(pods[name], phase="Running", hostIP=name)]} for name in names
    }
    told = together(world, known, **statuses)
    assert [answer["pods"] for answer in told["nodes"].values()] == [[]] * len(names)
    for name in names:
        assert world.must("pods", f"default/p-{name}")["status"]["hostIP"] == name


def test_each_change_of_an_exchange_has_its_own_nodes_name_and_cause(world: Any, make: Any) -> None:
    first = together(world, a={"node": make.node("a")}, b={"node": make.node("b")})
    known = {"since": first["revision"], "epoch": first["epoch"]}
    pods = {name: world.create("pods", make.pod(f"p-{name}", nodeName=name)) for name in ("a", "b")}
    told = together(world, known, a=known, b=known)
    known = {"since": told["revision"], "epoch": told["epoch"]}
    together(
        world, known, **{n: {**known, "statuses": [status(p, phase="Running")]} for n, p in pods.items()}
    )
    view = View(world.store)
    view.catch_up()
    changes = view.changes_since(told["revision"])
    assert [(c.key, c.actor, c.trace.id, c.trace.cause) for c in changes] == [
        (f"default/p-{n}", f"system:node:{n}", "t1", int(p["metadata"]["resourceVersion"]))
        for n, p in pods.items()
    ]


def test_nodes_that_know_different_revisions_are_told_different_things(world: Any, make: Any) -> None:
    first = together(world, a={"node": make.node("a")}, b={"node": make.node("b")})
    old = {"since": first["revision"], "epoch": first["epoch"]}
    world.create("services", make.service())
    one = {name: world.create("pods", make.pod(f"one-{name}", nodeName=name)) for name in ("a", "b")}
    second = together(world, old, a=old)
    new = {"since": second["revision"], "epoch": second["epoch"]}
    two = {name: world.create("pods", make.pod(f"two-{name}", nodeName=name)) for name in ("a", "b")}
    third = together(world, new, a=new, b=old, c={})
    assert third["nodes"]["a"]["pods"] == [two["a"]]
    assert third["nodes"]["b"]["pods"] == [one["b"], two["b"]]
    assert [third["nodes"][name]["full"] for name in ("a", "b", "c")] == [False, False, True]
    assert [s["metadata"]["name"] for s in second["network"]["services"]] == ["web"]
    assert third["network"]["services"] == []


def test_one_nodes_mistake_does_not_keep_the_others_from_being_heard(world: Any, make: Any) -> None:
    answer = together(
        world, good={"node": make.node("good")}, bad={"node": make.node("other")}, worse={"rules": "x"}
    )
    assert "error" not in answer["nodes"]["good"]
    assert {name: answer["nodes"][name]["error"]["code"] for name in ("bad", "worse")} == {
        "bad": 400,
        "worse": 400,
    }
    assert world.must("nodes", "good")["spec"]["podCIDR"] == "10.244.1.0/24"
    assert world.get("nodes", "bad") is None


def test_agents_are_told_where_the_pods_of_other_machines_are(world: Any, make: Any) -> None:
    def node(name: str, address: str) -> dict[str, Any]:
        made: dict[str, Any] = make.node(name)
        made["status"] = {
            **(made.get("status") or {}),
            "addresses": [{"type": "InternalIP", "address": address}],
        }
        return made

    first = together(world, n1={"node": node("n1", "192.0.2.1")})
    assert first["network"]["peers"] == {"n1": ["192.0.2.1", "10.244.1.0/24"]}
    known = {"since": first["revision"], "epoch": first["epoch"]}
    second = together(world, known, n2={"node": node("n2", "192.0.2.2")})
    assert second["network"]["peers"] == {"n2": ["192.0.2.2", "10.244.2.0/24"]}
    known["since"] = second["revision"]
    assert together(world, known, n2={})["network"]["peers"] == {}
    world.delete("nodes", "n1")
    gone = together(world, known, n2={})["network"]
    assert (gone["peers"], gone["peersGone"]) == ({}, ["n1"])
