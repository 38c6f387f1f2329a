"""DaemonSets: one pod on each node that they are for."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from app.objects import pods
from app.objects.change import Change, Object, Operation
from app.objects.meta import controller_of, is_deleting, labels
from tests.controllers.worlds import World, daemon_set, node, pod, pod_template
from workers.controllers.daemon import daemon_set as daemon_sets
from workers.controllers.daemon.nodes import node_of
from workers.reconcile.plan import Plan
from workers.scheduler import scheduler

KEY = "default/log"


@pytest.fixture
def world() -> World:
    world = World([daemon_sets.role(30), scheduler.ROLE])
    for name in ("a", "b", "c"):
        world.put("nodes", node(name))
    return world


def settle(world: World) -> None:
    """Until all is at rest: pods start and end as they should."""
    for _ in range(100):
        world.settle()
        found = world.list("pods")
        ending = [p for p in found if is_deleting(p)]
        starting = [
            p for p in found if p["spec"].get("nodeName") and pods.is_active(p) and not pods.is_ready(p)
        ]
        for each in ending:
            world.remove("pods", f"default/{each['metadata']['name']}")
        for each in starting:
            world.make_ready(f"default/{each['metadata']['name']}")
        if not ending and not starting:
            return
    raise AssertionError("never at rest")


def put(world: World, **spec: Any) -> None:
    world.put("daemonsets.apps", daemon_set(**spec))
    settle(world)


def change(world: World, **spec: Any) -> None:
    def edited(obj: Object) -> None:
        obj["spec"].update(spec)
        obj["metadata"]["generation"] += 1

    world.edit("daemonsets.apps", KEY, edited)
    settle(world)


def nodes_with_pods(world: World) -> list[str]:
    return sorted(p["spec"].get("nodeName", "?") for p in world.list("pods"))


def status(world: World) -> Object:
    found: Object = world.objects["daemonsets.apps"][KEY]["status"]
    return found


def taint(world: World, name: str, effect: str, key: str = "example.com/busy") -> None:
    world.edit("nodes", name, lambda n: n["spec"].update(taints=[{"key": key, "effect": effect}]))
    settle(world)


def test_each_node_gets_a_pod_through_the_scheduler(world: World) -> None:
    put(world)

    assert nodes_with_pods(world) == ["a", "b", "c"]
    assert all((controller_of(p) or {})["kind"] == "DaemonSet" for p in world.list("pods"))
    assert status(world) == {
        "currentNumberScheduled": 3,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 3,
        "numberReady": 3,
        "observedGeneration": 1,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    }


def test_nodes_that_come_get_a_pod_and_those_that_go_lose_theirs(world: World) -> None:
    put(world)
    world.put("nodes", node("d"))
    settle(world)
    assert nodes_with_pods(world) == ["a", "b", "c", "d"]

    world.remove("nodes", "d")
    settle(world)
    assert status(world)["desiredNumberScheduled"] == 3


def test_a_pod_that_waits_for_a_node_that_went_goes_too() -> None:
    world = World([daemon_sets.role(30)])
    world.put("nodes", node("a"))
    world.put("daemonsets.apps", daemon_set())
    world.settle()
    assert len(world.list("pods")) == 1

    world.remove("nodes", "a")
    world.settle()
    assert world.list("pods") == []


def test_only_nodes_that_the_template_asks_for_get_a_pod(world: World) -> None:
    put(world, template=pod_template(app="log", nodeSelector={"disk": "fast"}))
    assert nodes_with_pods(world) == []

    world.edit("nodes", "b", lambda n: n["metadata"]["labels"].update(disk="fast"))
    settle(world)
    assert nodes_with_pods(world) == ["b"]

    world.edit("nodes", "b", lambda n: n["metadata"]["labels"].pop("disk"))
    settle(world)
    assert nodes_with_pods(world) == []


def test_node_affinity_counts_and_what_is_preferred_stays_in_the_pod(world: World) -> None:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["a", "c"]}]}
    wish = [{"weight": 1, "preference": term}]
    nodes = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
        "preferredDuringSchedulingIgnoredDuringExecution": wish,
    }
    put(world, template=pod_template(app="log", affinity={"nodeAffinity": nodes}))

    assert nodes_with_pods(world) == ["a", "c"]
    first = world.list("pods")[0]
    kept = first["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert kept == wish


def test_a_taint_keeps_new_pods_away_and_one_with_no_execute_drives_them_out(world: World) -> None:
    put(world)
    taint(world, "a", "NoSchedule")
    assert nodes_with_pods(world) == ["a", "b", "c"]
    assert (status(world)["desiredNumberScheduled"], status(world)["numberMisscheduled"]) == (2, 1)

    taint(world, "a", "NoExecute")
    assert nodes_with_pods(world) == ["b", "c"]

    world.edit("nodes", "a", lambda n: n["spec"].pop("taints"))
    settle(world)
    assert nodes_with_pods(world) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ],
)
def test_a_node_in_trouble_keeps_its_pod(world: World, key: str, effect: str) -> None:
    taint(world, "a", effect, key)
    put(world)

    assert nodes_with_pods(world) == ["a", "b", "c"]


def test_a_pod_that_failed_is_replaced_after_a_while(world: World) -> None:
    put(world)
    (found,) = [p for p in world.list("pods") if p["spec"]["nodeName"] == "b"]
    key = f"default/{found['metadata']['name']}"
    world.edit("pods", key, lambda p: p["status"].update(phase="Failed", conditions=[]))
    settle(world)
    assert world.get("pods", key) is not None

    world.advance(6)
    settle(world)
    assert world.get("pods", key) is None
    assert nodes_with_pods(world) == ["a", "b", "c"]
    assert "FailedDaemonPod" in [event.reason for event in world.events]


def test_an_update_replaces_every_pod_and_keeps_its_history(world: World) -> None:
    put(world)
    change(world, template=pod_template("log:2", app="log"))

    assert {p["spec"]["containers"][0]["image"] for p in world.list("pods")} == {"log:2"}
    assert sorted(r["revision"] for r in world.list("controllerrevisions.apps")) == [1, 2]
    hashes = {labels(r)["controller-revision-hash"] for r in world.list("controllerrevisions.apps")}
    assert {labels(p)["controller-revision-hash"] for p in world.list("pods")} < hashes


def test_going_back_to_an_old_template_takes_up_its_revision_again(world: World) -> None:
    put(world)
    change(world, template=pod_template("log:2", app="log"))
    change(world, template=pod_template("log:1", app="log"))

    assert sorted(r["revision"] for r in world.list("controllerrevisions.apps")) == [2, 3]
    assert {p["spec"]["containers"][0]["image"] for p in world.list("pods")} == {"log:1"}


def test_on_delete_pods_are_updated_when_somebody_deletes_them(world: World) -> None:
    put(world, updateStrategy={"type": "OnDelete"})
    change(world, template=pod_template("log:2", app="log"))
    assert {p["spec"]["containers"][0]["image"] for p in world.list("pods")} == {"log:1"}

    (found,) = [p for p in world.list("pods") if p["spec"]["nodeName"] == "b"]
    world.remove("pods", f"default/{found['metadata']['name']}")
    settle(world)
    assert [p["spec"]["containers"][0]["image"] for p in world.on_node("b")] == ["log:2"]
    assert status(world)["updatedNumberScheduled"] == 1


def test_orphans_that_match_are_adopted(world: World) -> None:
    world.put("pods", pod("mine", "a", app="log"))
    world.make_ready("default/mine")
    put(world, updateStrategy={"type": "OnDelete"})

    assert (controller_of(world.objects["pods"]["default/mine"]) or {})["name"] == "log"
    assert nodes_with_pods(world) == ["a", "b", "c"]


class Update(RuleBasedStateMachine):
    """An update whose plans are cut short anywhere, while pods start and end when it pleases them."""

    @initialize(
        count=st.integers(1, 4), unavailable=st.integers(1, 3), surge=st.integers(1, 3), surging=st.booleans()
    )
    def begin(self, count: int, unavailable: int, surge: int, surging: bool) -> None:
        self.world = World([daemon_sets.role(30), scheduler.ROLE])
        self.count = count
        for position in range(count):
            self.world.put("nodes", node(f"n{position}"))
        self.surge, self.unavailable = (surge, 0) if surging else (0, unavailable)
        rolling = {"maxSurge": self.surge, "maxUnavailable": self.unavailable}
        put(self.world, updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling})
        self.world.on_change = self.check

    def check(self, change: Change) -> None:
        """Nothing but the update happens to the pods, so what is missing is its doing."""
        if change.resource != "pods" or change.operation is Operation.DELETED:
            return
        active = [p for p in self.world.objects["pods"].values() if pods.is_active(p)]
        with_available = {node_of(p) for p in active if pods.is_ready(p)}
        assert len(with_available) >= self.count - self.unavailable
        doubled = len(active) - len({node_of(p) for p in active})
        assert doubled <= self.surge
        everything = [node_of(p) for p in self.world.objects["pods"].values()]
        assert self.surge or len(everything) == len(set(everything)), "two pods on a node without surge"

    @rule(image=st.integers(1, 3))
    def somebody_changes_the_template(self, image: int) -> None:
        def edited(obj: Object) -> None:
            obj["spec"]["template"] = pod_template(f"log:{image}", app="log")

        self.world.edit("daemonsets.apps", KEY, edited)

    @rule(cut=st.none() | st.integers(0, 4))
    def plan(self, cut: int | None) -> None:
        found = self.world.plan("daemonset-controller", KEY)
        if cut is not None:
            found = Plan(found.writes[:cut])
        self.world.carry_out("daemonset-controller", KEY, found)

    @rule()
    def schedule(self) -> None:
        for work in [work for work in self.world.queue if work[0] != "daemonset-controller"]:
            del self.world.queue[work]
            self.world.run(*work)

    @rule(number=st.integers(0, 100))
    def a_pod_starts(self, number: int) -> None:
        found = [
            p
            for p in self.world.list("pods")
            if p["spec"].get("nodeName") and pods.is_active(p) and not pods.is_ready(p)
        ]
        if found:
            self.world.make_ready(f"default/{found[number % len(found)]['metadata']['name']}")

    @rule(number=st.integers(0, 100))
    def an_agent_is_done_with_a_pod(self, number: int) -> None:
        found = [p for p in self.world.list("pods") if is_deleting(p)]
        if found:
            self.world.remove("pods", f"default/{found[number % len(found)]['metadata']['name']}")

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.queue["daemonset-controller", KEY] = None
        settle(self.world)
        found = self.world.list("pods")
        assert sorted(map(node_of, found)) == sorted(self.world.keys("nodes"))
        wanted = self.world.objects["daemonsets.apps"][KEY]["spec"]["template"]["spec"]["containers"]
        assert all(p["spec"]["containers"] == wanted for p in found)
        assert (
            status(self.world)["updatedNumberScheduled"]
            == status(self.world)["numberAvailable"]
            == self.count
        )


Update.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestUpdate = Update.TestCase
