"""ResourceQuota: what is charged, refused and given back, and that the sum never exceeds it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base.errors import Forbidden
from app.base.ids import RandomIds
from app.registry.registry import Registry
from app.schemas import kinds
from app.store.store import Store
from app.store.view import View


def quota(name: str = "q", scopes: list[str] | None = None, **hard: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"hard": {k.replace("__", "."): v for k, v in hard.items()}}
    if scopes:
        spec["scopes"] = scopes
    return {"metadata": {"name": name}, "spec": spec}


def asking(make: Any, name: str, cpu: str) -> dict[str, Any]:
    return make.pod(name, containers=[{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}])


def test_what_exceeds_it_is_refused_in_the_words_of_kubernetes(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(pods="2"))
    for name in "ab":
        world.create("pods", make.pod(name))
    with pytest.raises(Forbidden) as refused:
        world.create("pods", make.pod("c"))
    assert refused.value.message == (
        'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    )


def test_deleting_gives_back(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(pods="1"))
    world.create("pods", make.pod("a"))
    world.delete("pods", "a")
    assert world.create("pods", make.pod("b"))


def test_a_pod_that_has_finished_uses_nothing_but_its_place_in_the_store(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(pods="1"))
    world.create("resourcequotas", {"metadata": {"name": "all"}, "spec": {"hard": {"count/pods": "2"}}})
    world.create("pods", make.pod("a"))
    world.patch("pods", "a", {"status": {"phase": "Succeeded"}}, subresource="status")
    world.create("pods", make.pod("b"))
    world.patch("pods", "b", {"status": {"phase": "Succeeded"}}, subresource="status")
    with pytest.raises(Forbidden, match="exceeded quota: all, requested: count/pods=1, used: count/pods=2"):
        world.create("pods", make.pod("c"))


def test_what_a_quota_is_about_must_be_said(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(limits__cpu="4", requests__memory="1Gi"))
    with pytest.raises(Forbidden) as refused:
        world.create("pods", make.pod())
    assert refused.value.message == (
        'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: web; requests.memory for: web'
    )


def test_requests_are_summed(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(requests__cpu="1"))
    world.create("pods", asking(make, "a", "600m"))
    with pytest.raises(
        Forbidden, match="requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1"
    ):
        world.create("pods", asking(make, "b", "500m"))
    assert world.create("pods", asking(make, "c", "400m"))


def test_a_scope_chooses_pods(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(scopes=["BestEffort"], pods="1"))
    world.create("pods", make.pod("a"))
    with pytest.raises(Forbidden):
        world.create("pods", make.pod("b"))
    assert world.create("pods", asking(make, "c", "1m"))


def test_a_priority_class_may_be_chosen(world: Any, make: Any) -> None:
    world.create("priorityclasses.scheduling.k8s.io", {"metadata": {"name": "high"}, "value": 9})
    expression = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
    spec = {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [expression]}}
    world.create("resourcequotas", {"metadata": {"name": "q"}, "spec": spec})
    assert world.create("pods", make.pod("a"))
    with pytest.raises(Forbidden, match="exceeded quota: q"):
        world.create("pods", make.pod("b", priorityClassName="high"))


def test_services_are_charged_by_what_they_are_and_for_what_they_become(world: Any, make: Any) -> None:
    # The API's own Service is one of them.
    world.create("resourcequotas", quota(services="3", services__nodeports="1"))
    world.create("services", make.service("a"))
    world.create("services", make.service("b", type="NodePort"))
    with pytest.raises(Forbidden, match="requested: services=1, used: services=3, limited: services=3"):
        world.create("services", make.service("c"))
    with pytest.raises(Forbidden, match="requested: services.nodeports=1, used: services.nodeports=1"):
        world.patch("services", "a", {"spec": {"type": "NodePort"}})


def test_any_kind_can_be_counted(world: Any, make: Any) -> None:
    hard = {"count/deployments.apps": "1", "configmaps": "1"}
    world.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    world.create("deployments.apps", make.deployment("a"))
    with pytest.raises(
        Forbidden,
        match=r"deployments.apps \"b\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1",
    ):
        world.create("deployments.apps", make.deployment("b"))
    world.create("configmaps", make.config_map("a"))
    with pytest.raises(Forbidden):
        world.create("configmaps", make.config_map("b"))


def test_storage_is_charged_by_class(world: Any) -> None:
    hard = {"requests.storage": "10Gi", "gold.storageclass.storage.k8s.io/requests.storage": "2Gi"}
    world.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})

    def claim(name: str, size: str, of: str) -> dict[str, Any]:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        return {"metadata": {"name": name}, "spec": {**spec, "storageClassName": of}}

    world.create("persistentvolumeclaims", claim("a", "2Gi", "gold"))
    with pytest.raises(Forbidden, match="gold.storageclass.storage.k8s.io/requests.storage=1Gi, used"):
        world.create("persistentvolumeclaims", claim("b", "1Gi", "gold"))
    assert world.create("persistentvolumeclaims", claim("c", "8Gi", "tin"))


def test_a_dry_run_is_refused_and_charges_nothing(world: Any, make: Any) -> None:
    world.create("resourcequotas", quota(pods="1"))
    world.create("pods", make.pod("a"), dry_run=True)
    world.create("pods", make.pod("b"))
    with pytest.raises(Forbidden):
        world.create("pods", make.pod("c"), dry_run=True)


def test_a_quota_made_by_another_process_holds_at_once(world: Any, make: Any) -> None:
    first = world.registry
    first.view.catch_up()
    world.registry = world.another(2)
    world.create("resourcequotas", quota(pods="0"))
    world.registry = first
    with pytest.raises(Forbidden):
        world.create("pods", make.pod())


def test_many_processes_creating_at_once_use_up_the_quota_and_not_one_more(
    world: Any, make: Any, redis_url: str, cluster: str
) -> None:
    world.create("resourcequotas", quota(pods="25", requests__cpu="10"))
    refused: list[Forbidden] = []
    made: list[str] = []
    stores = [Store.connect(redis_url, cluster) for _ in range(4)]

    def process(number: int) -> None:
        store = stores[number % len(stores)]
        registry = Registry(store, View(store, keep=False), world.clock, RandomIds(number), world.settings)
        for each in range(8):
            name = f"p{number}-{each}"
            try:
                registry.create(
                    world.request(), kinds.by_resource("pods"), "default", asking(make, name, "100m")
                )
                made.append(name)
            except Forbidden as exc:
                refused.append(exc)

    threads = [threading.Thread(target=process, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 25
    assert sorted(world.names("pods", "default")) == sorted(made)
    assert len(refused) == 6 * 8 - 25
    assert all("used: pods=25" in exc.message for exc in refused)
    for store in stores:
        store.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_created_changed_and_deleted_the_quota_holds(
    world: Any, make: Any, data: st.DataObject
) -> None:
    """Two processes, each as far behind as it happens to be."""
    namespace = f"n{world.store.revision()}"
    world.registry.view.catch_up()
    world.create("namespaces", {"metadata": {"name": namespace}})
    hard = {"requests.cpu": "10", "pods": "4"}
    world.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}}, namespace)
    processes = (world.registry, world.another(world.store.revision()))
    pods = kinds.by_resource("pods")
    alive: dict[str, int] = {}
    for number in range(data.draw(st.integers(1, 12))):
        registry = data.draw(st.sampled_from(processes))
        action = data.draw(st.sampled_from(("create", "create", "delete", "finish")))
        if action == "create":
            cpu = data.draw(st.integers(1, 6))
            fits = len(alive) < 4 and sum(alive.values()) + cpu <= 10
            try:
                registry.create(world.request(), pods, namespace, asking(make, f"p{number}", str(cpu)))
                assert fits
                alive[f"p{number}"] = cpu
            except Forbidden:
                assert not fits
        elif alive:
            name = data.draw(st.sampled_from(sorted(alive)))
            del alive[name]
            if action == "delete":
                from app.registry.request import DeleteOptions

                registry.delete(world.request(), pods, namespace, name, DeleteOptions())
            else:
                status = {"status": {"phase": "Failed"}}
                registry.patch(
                    world.request(), pods, namespace, name, status, "application/merge-patch+json", "status"
                )
