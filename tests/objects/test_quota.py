"""What objects use up of quotas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects.pod_resources import amounts, shown, totals
from app.objects.quantity import NANO
from app.objects.quota_ledger import Ledger
from app.objects.quota_scopes import matches
from app.objects.quota_usage import resource_of, unsaid, usage
from tests.controllers.worlds import World


def container(**requests: str) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": requests}}


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": list(containers), **spec},
    }


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("cpu", "pods"),
        ("requests.nvidia.com/gpu", "pods"),
        ("hugepages-2Mi", "pods"),
        ("count/widgets.example.com", "widgets.example.com"),
        ("services.nodeports", "services"),
        ("requests.storage", "persistentvolumeclaims"),
        ("gold.storageclass.storage.k8s.io/persistentvolumeclaims", "persistentvolumeclaims"),
        ("secrets", "secrets"),
    ],
)
def test_each_name_counts_objects_of_one_resource(name: str, resource: str) -> None:
    assert resource_of(name) == resource


def test_a_pod_uses_what_its_containers_ask_for_together() -> None:
    asked = pod(container(cpu="500m", memory="1Gi"), container(cpu="250m", **{"nvidia.com/gpu": "2"}))
    names = (
        "cpu",
        "requests.cpu",
        "requests.memory",
        "limits.cpu",
        "requests.nvidia.com/gpu",
        "pods",
        "secrets",
    )
    assert usage("pods", asked, names) == {
        "cpu": 750 * NANO // 1000,
        "requests.cpu": 750 * NANO // 1000,
        "requests.memory": 2**30 * NANO,
        "requests.nvidia.com/gpu": 2 * NANO,
        "pods": NANO,
    }


def test_init_containers_count_where_they_ask_for_more_and_sidecars_beside() -> None:
    sidecar = {**container(cpu="100m"), "restartPolicy": "Always"}
    spec = pod(container(cpu="300m"), initContainers=[sidecar, container(cpu="1")])["spec"]
    assert totals(spec, "requests") == {"cpu": "1100m"}
    spec["initContainers"] = [container(cpu="200m"), sidecar]
    assert totals(spec, "requests") == {"cpu": "400m"}


def test_overhead_comes_on_top() -> None:
    spec = pod(container(cpu="1"), overhead={"cpu": "100m", "memory": "1Mi"})["spec"]
    assert totals(spec, "requests") == {"cpu": "1100m", "memory": "1Mi"}
    assert amounts(spec, "requests", overhead=False) == {"cpu": NANO}


def test_what_must_be_said_is_named_with_its_containers() -> None:
    silent = pod({"name": "b"}, {"name": "a"}, {"name": "c", "resources": {"limits": {"cpu": "1"}}})
    assert unsaid(silent, ("limits.cpu", "pods", "requests.ephemeral-storage")) == "limits.cpu for: a,b"


@pytest.mark.parametrize(
    ("scope", "spec", "holds"),
    [
        ("Terminating", {"activeDeadlineSeconds": 0}, True),
        ("Terminating", {}, False),
        ("NotTerminating", {}, True),
        ("BestEffort", {}, True),
        ("NotBestEffort", {}, False),
        ("PriorityClass", {"priorityClassName": "x"}, True),
        ("PriorityClass", {}, False),
        (
            "CrossNamespacePodAffinity",
            {
                "affinity": {
                    "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["x"]}]}
                }
            },
            True,
        ),
        ("CrossNamespacePodAffinity", {"affinity": {"podAffinity": {}}}, False),
    ],
)
def test_scopes(scope: str, spec: dict[str, Any], holds: bool) -> None:
    quota = {"spec": {"scopes": [scope]}}
    assert matches(quota, "pods", pod({"name": "c"}, **spec)) is holds


def test_a_quota_with_scopes_is_about_nothing_but_pods() -> None:
    assert not matches({"spec": {"scopes": ["BestEffort"]}}, "services", {})


@given(st.integers(0, 2**50), st.sampled_from(["cpu", "requests.memory", "limits.cpu", "pods"]))
def test_an_amount_reads_back_as_what_it_was(number: int, name: str) -> None:
    from app.objects import quantity

    assert quantity.nanos(shown(name, number * 1_000_000)) == number * 1_000_000


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["put", "finish", "remove"])), max_size=30)
)
def test_counted_change_by_change_it_is_what_counting_anew_gives(steps: list[tuple[str, str]]) -> None:
    world = World()
    quota = world.put(
        "resourcequotas",
        {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"pods": "9", "cpu": "9"}}},
    )
    following = Following(world)
    ledger = Ledger(following)
    for name, step in steps:
        key = f"default/{name}"
        if step == "put":
            world.put("pods", {**pod(container(cpu="1")), "metadata": {"name": name, "namespace": "default"}})
        elif world.get("pods", key) is not None:
            if step == "remove":
                world.remove("pods", key)
            else:
                world.edit("pods", key, lambda p: p.update(status={"phase": "Failed"}))
        counted = {k: v for k, v in ledger.used(quota).items() if v}
        assert counted == {k: v for k, v in Ledger(world).used(quota).items() if v}


class Following:
    """A world that tells what changed since a revision, as views do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._changes: list[Any] = []
        world.on_change = self._changes.append

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def changes_since(self, revision: int) -> list[Any]:
        return [change for change in self._changes if change.revision > revision]
