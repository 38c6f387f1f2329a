from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.base.errors import ApiError, BadRequest, TooManyRequests
from tests.registry.conftest import Manifests, World

BUDGETS = "poddisruptionbudgets.policy"


def running(world: World, make: Manifests, name: str, ready: str = "True") -> None:
    world.create("pods", make.pod(name, nodeName="n1"))
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}
    world.patch("pods", name, {"status": status}, subresource="status")


def budget(world: World, allowed: int, healthy: int = 3, desired: int = 2, **spec: Any) -> None:
    selector = {"matchLabels": {"app": "web"}}
    name = spec.pop("name", "b")
    world.create(
        BUDGETS, {"metadata": {"name": name}, "spec": {"minAvailable": desired, "selector": selector, **spec}}
    )
    status = {
        "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": healthy,
        "desiredHealthy": desired, "expectedPods": healthy,
    }  # fmt: skip
    world.patch(BUDGETS, name, {"status": status}, subresource="status")


def evict(world: World, name: str, registry: Any = None, **options: Any) -> None:
    body = {"metadata": {"name": name}, "deleteOptions": options}
    (registry or world.registry).evict(world.request(), "default", name, body)


def is_going(world: World, name: str) -> bool:
    pod = world.get("pods", f"default/{name}")
    return pod is None or bool(pod["metadata"].get("deletionTimestamp"))


def test_an_evicted_pod_is_charged_to_its_budget_and_marked(world: World, make: Manifests) -> None:
    running(world, make, "a")
    budget(world, 1)
    evict(world, "a")
    pod = world.must("pods", "default/a")
    assert pod["metadata"]["deletionTimestamp"]
    reasons = {c["type"]: c.get("reason") for c in pod["status"]["conditions"]}
    assert reasons["DisruptionTarget"] == "EvictionByEvictionAPI"
    status = world.must(BUDGETS, "default/b")["status"]
    assert status["disruptionsAllowed"] == 0
    assert list(status["disruptedPods"]) == ["a"]
    assert [(c["type"], c["status"]) for c in status["conditions"]] == [("DisruptionAllowed", "False")]


def test_an_eviction_that_the_budget_does_not_allow_is_refused(world: World, make: Manifests) -> None:
    running(world, make, "a")
    budget(world, 0, healthy=2)
    with pytest.raises(TooManyRequests) as refused:
        evict(world, "a")
    assert refused.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert refused.value.details()["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget b needs 2 healthy pods and has 2 currently",
        }
    ]
    assert not is_going(world, "a")


def test_a_budget_that_was_changed_and_not_counted_yet_allows_nothing(world: World, make: Manifests) -> None:
    running(world, make, "a")
    budget(world, 1)
    world.patch(BUDGETS, "b", {"spec": {"minAvailable": 3}})
    with pytest.raises(TooManyRequests) as refused:
        evict(world, "a")
    assert refused.value.retry_after == 10
    assert "still being processed" in refused.value.details()["causes"][0]["message"]


def test_no_more_pods_go_than_the_budget_allows_however_many_evict_at_once(
    world: World, make: Manifests
) -> None:
    names = [f"p{i}" for i in range(12)]
    for name in names:
        running(world, make, name)
    budget(world, 3, healthy=12, desired=9)
    registries = [world.another(10 + i) for i in range(4)]

    def one(i: int) -> bool:
        try:
            evict(world, names[i], registries[i % 4])
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        granted = list(pool.map(one, range(12)))
    assert granted.count(True) == 3
    assert sorted(name for name in names if is_going(world, name)) == sorted(
        name for name, yes in zip(names, granted, strict=True) if yes
    )
    assert world.must(BUDGETS, "default/b")["status"]["disruptionsAllowed"] == 0


def test_a_pod_of_several_budgets_is_not_evicted(world: World, make: Manifests) -> None:
    running(world, make, "a")
    budget(world, 1)
    budget(world, 1, name="c")
    with pytest.raises(ApiError) as refused:
        evict(world, "a")
    assert refused.value.code == 500
    assert refused.value.message == (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    )


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_a_pod_that_does_not_run_needs_no_budget(world: World, make: Manifests, phase: str) -> None:
    running(world, make, "a")
    world.patch("pods", "a", {"status": {"phase": phase}}, subresource="status")
    budget(world, 0)
    evict(world, "a")
    assert is_going(world, "a")


@pytest.mark.parametrize(
    ("policy", "healthy", "goes"),
    [(None, 2, True), (None, 1, False), ("AlwaysAllow", 0, True), ("IfHealthyBudget", 1, False)],
)
def test_a_pod_that_is_not_ready_goes_if_enough_others_are_or_the_budget_says_so(
    world: World, make: Manifests, policy: str | None, healthy: int, goes: bool
) -> None:
    running(world, make, "a", ready="False")
    budget(world, 0, healthy=healthy, **({"unhealthyPodEvictionPolicy": policy} if policy else {}))
    if goes:
        evict(world, "a")
    else:
        with pytest.raises(TooManyRequests):
            evict(world, "a")
    assert is_going(world, "a") == goes
    assert "disruptedPods" not in world.must(BUDGETS, "default/b")["status"]


def test_a_budget_of_other_pods_does_not_matter(world: World, make: Manifests) -> None:
    running(world, make, "a")
    budget(world, 0, selector={"matchLabels": {"app": "other"}})
    evict(world, "a")
    assert is_going(world, "a")


def test_a_dry_run_charges_nobody(world: World, make: Manifests) -> None:
    running(world, make, "a")
    budget(world, 1)
    evict(world, "a", dryRun=["All"])
    assert not is_going(world, "a")
    assert world.must(BUDGETS, "default/b")["status"]["disruptionsAllowed"] == 1


def test_the_eviction_must_name_the_pod(world: World, make: Manifests) -> None:
    running(world, make, "a")
    with pytest.raises(BadRequest):
        world.registry.evict(world.request(), "default", "a", {"metadata": {"name": "b"}})
