"""The two promises of a rolling update, kept in whatever order things happen and wherever they stop."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.objects import pods
from app.objects.change import Change, Operation
from tests.controllers.worlds import World, deployment
from workers.controllers import deployment as deployments
from workers.controllers import replicaset, rolling
from workers.controllers.rolling import Group, Limits
from workers.reconcile.plan import Plan

KEY = "default/web"


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", Limits(10, 3, 2)),
        (3, "25%", "25%", Limits(3, 1, 0)),
        (1, "25%", "25%", Limits(1, 1, 0)),
        (4, 0, 0, Limits(4, 0, 1)),
        (4, 0, "10%", Limits(4, 0, 1)),
        (2, 1, 5, Limits(2, 1, 2)),
        (0, "25%", "25%", Limits(0, 0, 0)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(
    replicas: int, surge: int | str, unavailable: int | str, expected: Limits
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    assert rolling.limits(deployment(replicas=replicas, strategy=strategy)) == expected


@pytest.mark.parametrize(
    ("limit", "new", "old", "expected"),
    [
        # first step of an update: only the surge
        (Limits(3, 1, 0), Group("new"), [Group("old", 3, 3, 3)], {"new": 1}),
        # with room below, both directions at once
        (Limits(10, 3, 2), Group("new"), [Group("old", 10, 10, 10)], {"new": 3, "old": 8}),
        # the new pod is available: one old may go
        (Limits(3, 1, 0), Group("new", 1, 1, 1), [Group("old", 3, 3, 3)], {"old": 2}),
        # told to shrink but not yet done: nothing may be added
        (Limits(3, 1, 0), Group("new", 1, 1, 1), [Group("old", 2, 3, 3)], {}),
        # unhealthy old pods go first, whatever is new
        (Limits(3, 1, 1), Group("new", 0, 0, 0), [Group("a", 2, 2, 0), Group("b", 2, 2, 2)], {"a": 0}),
        # too large itself
        (Limits(2, 1, 0), Group("new", 5, 5, 5), [Group("old", 1, 1, 1)], {"new": 2}),
    ],
)
def test_a_step_moves_as_far_as_the_limits_allow(
    limit: Limits, new: Group, old: list[Group], expected: dict[str, int]
) -> None:
    assert rolling.step(limit, new, old) == expected


class Rollout:
    """A Deployment in a world where plans are cut short and pods start and end when it pleases them."""

    def __init__(self, seed: int, replicas: int, surge: int, unavailable: int) -> None:
        self.world = World([deployments.ROLE, replicaset.role(30)], seed)
        strategy = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
        }
        self.limit = rolling.limits(deployment(replicas=replicas, strategy=strategy))
        self.world.put("deployments.apps", deployment(replicas=replicas, strategy=strategy))
        self.finish()
        self.world.on_change = self.check

    def check(self, change: Change) -> None:
        if change.resource != "pods":
            return
        active = [p for p in self.world.objects["pods"].values() if pods.is_active(p)]
        assert len(active) <= self.limit.most
        if change.operation is not Operation.ADDED:
            assert sum(map(pods.is_ready, active)) >= self.limit.least

    def act(self) -> None:
        """One random thing happens."""
        world, random = self.world, self.world.random
        choice = random.random()
        if choice < 0.5 and world.queue:
            name, key = random.choice(list(world.queue))
            plan = world.plan(name, key)
            if random.random() < 0.3:
                # The worker dies somewhere in its commits; the key runs again.
                cut = random.randint(0, len(plan.writes))
                world.carry_out(name, key, Plan(plan.writes[:cut]))
                world.queue[name, key] = None
            else:
                del world.queue[name, key]
                world.carry_out(name, key, plan)
            return
        every = world.list("pods")
        starting = [p for p in every if pods.is_active(p) and not pods.is_ready(p)]
        ending = [p for p in every if p["metadata"].get("deletionTimestamp")]
        if choice < 0.8 and starting:
            self.start(random.choice(starting))
        elif ending:
            world.remove("pods", f"default/{random.choice(ending)['metadata']['name']}")

    def start(self, pod: Any) -> None:
        key = f"default/{pod['metadata']['name']}"
        self.world.edit("pods", key, lambda p: p["spec"].update(nodeName="n"))
        self.world.make_ready(key)

    def finish(self) -> None:
        for _ in range(400):
            self.world.settle()
            every = self.world.list("pods")
            starting = [p for p in every if pods.is_active(p) and not pods.is_ready(p)]
            ending = [p for p in every if p["metadata"].get("deletionTimestamp")]
            for pod in starting[:1]:
                self.start(pod)
            for pod in ending[:1]:
                self.world.remove("pods", f"default/{pod['metadata']['name']}")
            if not starting and not ending:
                return
        raise AssertionError("the rollout never ends")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    replicas=st.integers(1, 6),
    surge=st.integers(0, 3),
    unavailable=st.integers(0, 3),
    updates=st.integers(1, 3),
)
def test_an_update_cut_short_anywhere_keeps_both_promises_and_ends(
    seed: int, replicas: int, surge: int, unavailable: int, updates: int
) -> None:
    rollout = Rollout(seed, replicas, surge, unavailable)
    for number in range(updates):
        rollout.world.edit(
            "deployments.apps",
            KEY,
            lambda d, n=number: d["spec"]["template"]["spec"]["containers"][0].update(image=f"web:{n + 2}"),
        )
        for _ in range(rollout.world.random.randint(0, 40)):
            rollout.act()
    rollout.finish()
    left = [p["spec"]["containers"][0]["image"] for p in rollout.world.list("pods")]
    assert left == [f"web:{updates + 1}"] * replicas


groups = st.builds(Group, st.just("x"), st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))


@given(
    limit=st.builds(Limits, st.integers(0, 8), st.integers(0, 4), st.integers(0, 4)).filter(
        lambda x: x.unavailable <= x.replicas and (x.surge or x.unavailable or not x.replicas)
    ),
    new=groups,
    old=st.lists(groups, max_size=3),
)
def test_no_step_from_any_state_takes_what_the_minimum_needs(
    limit: Limits, new: Group, old: list[Group]
) -> None:
    old = [Group(f"old{i}", g.wanted, g.present, g.available) for i, g in enumerate(old)]
    sizes = rolling.step(limit, new, old)
    shrunk = [g for g in old if sizes.get(g.name, g.wanted) < g.wanted]
    if shrunk:
        fresh = min(new.wanted, new.available)
        sure = fresh + sum(min(sizes.get(g.name, g.wanted), g.available) for g in old)
        before = fresh + sum(min(g.wanted, g.available) for g in old)
        assert sure >= min(limit.least, before)
    grown = sizes.get(new.name, new.wanted) - new.wanted
    if grown > 0:
        assert sum(max(g.wanted, g.present) for g in [new, *old]) + grown <= limit.most
    assert all(size >= 0 for size in sizes.values())
