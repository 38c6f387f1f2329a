"""Plans of roles that ask for it see what pods use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from app.base.errors import StoreUnavailable
from app.base.ids import RandomIds
from app.bus.work import Work
from app.objects.change import ReadView, Trace, create
from app.objects.usage import PODS, Usage
from app.store.store import Store
from app.store.usage import UsageState
from app.store.view import View
from app.store.work import WorkLedger
from tests.clock import HandClock
from tests.controllers.worlds import World, pod
from workers.reconcile.measured import MeasuredView, measured
from workers.reconcile.plan import NOTHING, Plan, Role
from workers.reconcile.shell import Reconciler

USED = {"at": 1_800_000_000.0, "window": 15.0, "cpu": 1, "memory": 1}


@pytest.fixture
def pods() -> World:
    """Two running pods on one node."""
    made = World()
    for name in ("a", "b"):
        made.put("pods", pod(name, "n1"))
        made.make_ready(f"default/{name}")
    made.put("nodes", {"metadata": {"name": "n1"}})
    return made


def usage(world: World, *names: str) -> Usage:
    used: dict[str, Any] = {}
    for name in names:
        found = world.get("pods", f"default/{name}")
        assert found is not None
        used[found["metadata"]["uid"]] = {"window": 15.0, "containers": {"main": [1, 1]}}
    return Usage({"n1": {**USED, "pods": used}})


def test_the_metrics_of_measured_pods_are_there_with_all_else(pods: World) -> None:
    view = MeasuredView(pods, usage(pods, "a"))
    assert view.keys(PODS) == ["default/a"]
    assert [each["metadata"]["name"] for each in view.list(PODS, "default")] == ["a"]
    assert view.get(PODS, "default/b") is None
    assert view.get(PODS, "default/c") is None
    assert view.keys("pods") == ["default/a", "default/b"]
    assert view.on_node("n1") == pods.on_node("n1")
    assert view.revision == pods.revision


def test_a_view_shows_what_its_cluster_becomes(pods: World) -> None:
    view = MeasuredView(pods, usage(pods, "a"))
    pods.remove("pods", "default/a")
    assert view.get(PODS, "default/a") is None


def test_all_nodes_are_asked_about(pods: World) -> None:
    asked: list[str] = []

    def measure(nodes: Iterable[str]) -> Usage:
        asked.extend(nodes)
        return usage(pods, "b")

    assert measured(pods, measure).keys(PODS) == ["default/b"]
    assert asked == ["n1"]
    assert measured(pods, None) is pods


def test_a_store_that_is_away_is_told_as_such(pods: World) -> None:
    def measure(nodes: Iterable[str]) -> Usage:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        measured(pods, measure)


def test_a_role_that_measures_sees_what_was_reported_up_to_its_message(
    store: Store, clock: HandClock
) -> None:
    seen: dict[str, list[str]] = {}

    def role(name: str, measures: bool) -> Role:
        def plan(view: ReadView, key: str, now: float) -> Plan:
            seen[name] = view.keys(PODS)
            return NOTHING

        return Role(name, plan, (), lambda view: [], measures=measures)

    bound = pod("a", "n1")
    bound["metadata"]["uid"] = "u1"
    bound["status"] = {"phase": "Running"}
    writes = [create("nodes", {"metadata": {"name": "n1"}}), create("pods", bound)]
    store.commit(writes, actor="user", trace=Trace("t"), now=clock.now())
    ledger, state = WorkLedger(store, RandomIds(1)), UsageState(store)
    roles = [role("with", True), role("without", False)]
    shell = Reconciler(store, View(store), ledger, roles, clock, RandomIds(2), measure=state.of)

    def run() -> None:
        for name in ("with", "without"):
            ledger.enqueue([Work(name, "k", Trace("t", 1))], clock.now())
            shell.run(name, ["k"])

    run()
    assert seen == {"with": [], "without": []}
    state.keep({"n1": {**USED, "pods": {"u1": {"window": 15.0, "containers": {"main": [1, 1]}}}}})
    run()
    assert seen == {"with": ["default/a"], "without": []}
