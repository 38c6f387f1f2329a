"""Which node a pod gets, and what it is told when it gets none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.base.clock import rfc3339
from app.objects import conditions
from app.objects import pods as pod_facts
from app.objects.change import Bind, Object
from tests.controllers.worlds import START, World, node, pod
from workers.scheduler import scheduler

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


@pytest.fixture
def world() -> World:
    return World([scheduler.ROLE])


def asking(cpu: str = "0", memory: str = "0", **more: Any) -> list[Object]:
    return [{"name": "main", "image": "x", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}]


def where(world: World, name: str) -> str:
    found = world.get("pods", f"default/{name}")
    assert found is not None
    return str(found["spec"].get("nodeName") or "")


def refusal(world: World, name: str) -> str:
    condition = conditions.get(world.get("pods", f"default/{name}") or {}, "PodScheduled")
    assert condition is not None
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    return str(condition["message"])


def zoned(name: str, zone: str) -> Object:
    body = node(name)
    body["metadata"]["labels"][ZONE] = zone
    return body


def test_a_pod_is_bound_and_told_so_in_one_write(world: World) -> None:
    world.put("nodes", node("n1"))
    world.put("pods", pod("a"))
    revision = world.revision
    plan = world.run("default-scheduler", "pending")
    (write,) = plan.writes
    assert write.bind == Bind("n1", revision)
    assert where(world, "a") == "n1"
    assert conditions.is_true(world.get("pods", "default/a") or {}, "PodScheduled")
    assert [(e.reason, e.message) for e in plan.events] == [
        ("Scheduled", "Successfully assigned default/a to n1")
    ]


def test_without_nodes_a_pod_waits_and_gets_the_first(world: World) -> None:
    world.put("pods", pod("a"))
    world.settle()
    assert refusal(world, "a") == "no nodes available to schedule pods"
    world.put("nodes", node("n1"))
    world.settle()
    assert where(world, "a") == "n1"


def test_every_reason_is_counted(world: World) -> None:
    world.put("nodes", node("small", cpu="100m"))
    world.put("nodes", node("tiny", cpu="100m", memory="1Mi"))
    world.put("nodes", node("tainted", taints=[{"key": "team", "value": "a", "effect": "NoSchedule"}]))
    world.put("nodes", node("cordoned", unschedulable=True))
    world.put("pods", pod("a", containers=asking("1", "1Gi")))
    world.settle()
    assert refusal(world, "a") == (
        "0/4 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {team: a}, "
        "1 node(s) were unschedulable, 2 Insufficient cpu."
    )


def test_the_same_refusal_is_told_once(world: World) -> None:
    world.put("nodes", node("n1", cpu="100m"))
    world.put("pods", pod("a", containers=asking("1")))
    world.settle()
    world.run("default-scheduler", "pending")
    assert [e.reason for e in world.events] == ["FailedScheduling"]
    assert world.plan("default-scheduler", "pending").writes == ()


@pytest.mark.parametrize("freed", ["removed", "done"])
def test_room_that_is_freed_is_used(world: World, freed: str) -> None:
    world.put("nodes", node("n1", cpu="1"))
    world.put("pods", pod("a", containers=asking("1")))
    world.settle()
    world.put("pods", pod("b", containers=asking("1")))
    world.settle()
    assert refusal(world, "b") == "0/1 nodes are available: 1 Insufficient cpu."
    if freed == "removed":
        world.remove("pods", "default/a")
    else:
        world.edit("pods", "default/a", lambda p: p["status"].update(phase="Succeeded"))
    world.settle()
    assert where(world, "b") == "n1"


def test_a_terminating_pod_still_takes_its_room(world: World) -> None:
    world.put("nodes", node("n1", cpu="1"))
    world.put("pods", pod("a", "n1", containers=asking("1")))
    world.edit(
        "pods",
        "default/a",
        lambda p: p["metadata"].update(deletionTimestamp=rfc3339(START), deletionGracePeriodSeconds=30),
    )
    world.put("pods", pod("b", containers=asking("1")))
    world.settle()
    assert where(world, "b") == ""


def test_a_node_takes_so_many_pods_and_no_more(world: World) -> None:
    world.put("nodes", node("n1", pods="2"))
    for name in "abc":
        world.put("pods", pod(name, containers=asking()))
    world.settle()
    assert sorted(where(world, n) for n in "abc") == ["", "n1", "n1"]
    assert refusal(world, "c") == "0/1 nodes are available: 1 Too many pods."


def test_pods_of_one_kind_are_spread_evenly(world: World) -> None:
    for number in range(4):
        world.put("nodes", node(f"n{number}"))
    for number in range(8):
        world.put("pods", pod(f"p{number}"))
    world.settle()
    assert sorted(where(world, f"p{n}") for n in range(8)) == sorted([f"n{n}" for n in range(4)] * 2)


def test_binds_to_one_node_lie_together_and_carry_the_same_revision(world: World) -> None:
    for name in ("n1", "n2", "n3"):
        world.put("nodes", node(name))
    for number in range(9):
        world.put("pods", pod(f"p{number}"))
    plan = world.plan("default-scheduler", "pending")
    assert [w.bind and w.bind.node for w in plan.writes] == ["n1"] * 3 + ["n2"] * 3 + ["n3"] * 3
    assert {w.bind and w.bind.revision for w in plan.writes} == {world.revision}


def test_the_emptier_node_is_preferred(world: World) -> None:
    world.put("nodes", node("n1"))
    world.put("nodes", node("n2"))
    world.put("pods", pod("big", "n1", app="other", containers=asking("3", "6Gi")))
    world.put("pods", pod("a"))
    world.settle()
    assert where(world, "a") == "n2"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, "n2"),
        ({"nodeSelector": {"disk": "none"}}, ""),
        *(
            (
                {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [expression]}]}}}},
                expected,
            )
            for expression, expected in (
                ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, "n2"),
                ({"key": "disk", "operator": "NotIn", "values": ["hdd"]}, "n2"),
                ({"key": "rank", "operator": "Gt", "values": ["5"]}, "n2"),
                ({"key": "disk", "operator": "DoesNotExist"}, ""),
            )
        ),
        (
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}}},
            "n1",
        ),
        (
            {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 10, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}]}}},
            "n2",
        ),
    ],
)  # fmt: skip
def test_a_pod_goes_where_its_labels_ask(world: World, spec: Object, expected: str) -> None:
    for name, disk, rank in (("n1", "hdd", "1"), ("n2", "ssd", "9")):
        body = node(name)
        body["metadata"]["labels"].update(disk=disk, rank=rank)
        world.put("nodes", body)
    world.put("pods", pod("a", **spec))
    world.settle()
    assert where(world, "a") == expected
    if not expected:
        assert (
            refusal(world, "a")
            == "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
        )


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "team", "operator": "Equal", "value": "a", "effect": "NoSchedule"}, "n1"),
        ({"operator": "Exists"}, "n1"),
        ({"key": "team", "operator": "Equal", "value": "b"}, ""),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, ""),
    ],
)
def test_a_taint_keeps_out_who_does_not_tolerate_it(world: World, toleration: Object, expected: str) -> None:
    world.put("nodes", node("n1", taints=[{"key": "team", "value": "a", "effect": "NoSchedule"}]))
    world.put("pods", pod("a", tolerations=[toleration]))
    world.settle()
    assert where(world, "a") == expected


def test_a_taint_may_only_be_a_wish(world: World) -> None:
    world.put("nodes", node("n1", taints=[{"key": "old", "effect": "PreferNoSchedule"}]))
    world.put("nodes", node("n2", cpu="1"))
    for name in "ab":
        world.put("pods", pod(name, containers=asking("1")))
    world.settle()
    assert sorted(where(world, n) for n in "ab") == ["n1", "n2"]
    assert where(world, "a") == "n2"


def test_a_port_of_the_node_is_given_once(world: World) -> None:
    world.put("nodes", node("n1"))
    for name, address in (("a", "127.0.0.1"), ("b", "127.0.0.2"), ("c", "")):
        ports = [{"containerPort": 80, "hostPort": 80, "hostIP": address}]
        world.put("pods", pod(name, app=name, containers=asking(ports=ports)))
        world.settle()
    assert (where(world, "a"), where(world, "b")) == ("n1", "n1")
    assert refusal(world, "c") == (
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
    )


@pytest.mark.parametrize(
    "spec",
    [{"schedulerName": "mine"}, {"schedulingGates": [{"name": "wait"}]}],
)
def test_pods_that_are_not_for_this_scheduler_are_left_alone(world: World, spec: Object) -> None:
    world.put("nodes", node("n1"))
    world.put("pods", pod("a", **spec))
    world.settle()
    assert where(world, "a") == ""
    assert world.events == []


def test_a_gate_that_opens_lets_the_pod_through(world: World) -> None:
    world.put("nodes", node("n1"))
    world.put("pods", pod("a", schedulingGates=[{"name": "wait"}]))
    world.settle()
    world.edit("pods", "default/a", lambda p: p["spec"].update(schedulingGates=[]))
    world.settle()
    assert where(world, "a") == "n1"


def test_higher_priority_goes_first(world: World) -> None:
    world.put("nodes", node("n1", cpu="1"))
    world.put("pods", pod("low", containers=asking("1")))
    world.put("pods", pod("high", containers=asking("1"), priority=100))
    world.settle()
    assert (where(world, "low"), where(world, "high")) == ("", "n1")


def apart(topology: str = HOST, app: str = "web") -> Object:
    term = {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": app}}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_pods_that_repel_each_other_share_no_node(world: World) -> None:
    for name in ("n1", "n2"):
        world.put("nodes", node(name))
    for name in "abc":
        world.put("pods", pod(name, affinity=apart()))
    world.settle()
    assert sorted(where(world, n) for n in "abc") == ["", "n1", "n2"]
    assert refusal(world, "c") in (
        "0/2 nodes are available: 2 node(s) didn't satisfy existing pods anti-affinity rules.",
        "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.",
    )


def test_a_pod_already_there_may_repel_one_that_asks_for_nothing(world: World) -> None:
    world.put("nodes", zoned("n1", "z1"))
    world.put("pods", pod("first", app="db", affinity=apart(ZONE, "web")))
    world.settle()
    world.put("pods", pod("a"))
    world.settle()
    assert refusal(world, "a") == (
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
    )


def test_a_pod_follows_the_company_it_needs(world: World) -> None:
    for name, zone in (("n1", "z1"), ("n2", "z2")):
        world.put("nodes", zoned(name, zone))
    term = {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "db"}}}
    world.put(
        "pods", pod("a", affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}})
    )
    world.settle()
    assert refusal(world, "a") == "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."
    world.put("pods", pod("db", app="db", nodeSelector={HOST: "n2"}))
    world.settle()
    world.advance(1)
    assert where(world, "a") == "n2"


def test_a_spread_constraint_bounds_the_difference_between_zones(world: World) -> None:
    for name, zone in (("n1", "z1"), ("n2", "z1"), ("n3", "z2")):
        world.put("nodes", zoned(name, zone))
    rule = {
        "maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }  # fmt: skip
    for number in range(6):
        world.put("pods", pod(f"p{number}", topologySpreadConstraints=[rule]))
    world.settle()
    zones = [where(world, f"p{n}") for n in range(6)]
    assert zones.count("n3") == 3
    assert "" not in zones
    world.edit("nodes", "n3", lambda n: n["spec"].update(unschedulable=True))
    for name in ("p6", "p7"):
        world.put("pods", pod(name, topologySpreadConstraints=[rule]))
    world.settle()
    assert sorted(bool(where(world, n)) for n in ("p6", "p7")) == [False, True]


def test_what_can_not_be_given_is_refused_by_name(world: World) -> None:
    world.put("nodes", node("n1"))
    world.put("pods", pod("a", resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}]))
    world.settle()
    assert refusal(world, "a") == "the scheduler does not support spec.resourceClaims"


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_node_is_ever_given_more_than_it_has(data: st.DataObject) -> None:
    world = World([scheduler.ROLE])
    amounts = st.integers(0, 8)
    for number in range(data.draw(st.integers(1, 5), label="nodes")):
        cpu, memory, most = (data.draw(st.integers(1, 16)) for _ in range(3))
        world.put("nodes", node(f"n{number}", cpu=str(cpu), memory=f"{memory}Gi", pods=str(most)))
    number = 0
    for _ in range(data.draw(st.integers(1, 3), label="rounds")):
        for _ in range(data.draw(st.integers(1, 5), label="classes")):
            cpu, memory, count = data.draw(amounts), data.draw(amounts), data.draw(st.integers(1, 6))
            affinity = data.draw(st.sampled_from([{}, apart(app=f"other{number}")]))
            for _ in range(count):
                body = pod(
                    f"p{number}",
                    app=f"c{cpu}{memory}",
                    containers=asking(str(cpu), f"{memory}Gi"),
                    affinity=affinity,
                )
                world.put("pods", body)
                number += 1
        world.settle()
        check_room(world)
        check_nothing_fits(world)


def asked(found: Object) -> tuple[int, int]:
    cpu, memory = pod_facts.requests(found)
    return cpu // 1000, memory >> 30


def left(world: World, one: Object) -> tuple[int, int, int]:
    has = one["status"]["allocatable"]
    there = world.on_node(one["metadata"]["name"])
    return (
        int(has["cpu"]) - sum(asked(p)[0] for p in there),
        int(has["memory"][:-2]) - sum(asked(p)[1] for p in there),
        int(has["pods"]) - len(there),
    )


def check_room(world: World) -> None:
    for one in world.list("nodes"):
        assert min(left(world, one)) >= 0


def check_nothing_fits(world: World) -> None:
    """Whoever waits, waits for want of room: no pod without rules waits beside a node that could take it."""
    for waiting in world.on_node(""):
        if waiting["spec"].get("affinity"):
            continue
        cpu, memory = asked(waiting)
        for one in world.list("nodes"):
            room = left(world, one)
            assert not (cpu <= room[0] and memory <= room[1] and room[2] >= 1)


def test_a_pod_that_names_its_node_is_refused_with_what_speaks_against_every_node(world: World) -> None:
    fields = [{"key": "metadata.name", "operator": "In", "values": ["small"]}]
    required = {"nodeSelectorTerms": [{"matchFields": fields}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    world.put("nodes", node("small", cpu="50m"))
    world.put("nodes", node("large"))
    world.put("pods", pod("web", affinity=affinity))
    world.settle()

    assert refusal(world, "web") == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector."
    )
