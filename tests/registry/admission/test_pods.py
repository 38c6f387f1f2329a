"""What pods are completed with: account, token, priority, runtime class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.base.errors import Forbidden, NotFound
from app.registry.admission.service_account import with_token
from app.trust import keys

CLASSES = "priorityclasses.scheduling.k8s.io"


@pytest.fixture
def issuing(small_world: Callable[..., Any], tmp_path: Path) -> Any:
    """A cluster that issues tokens."""
    key = tmp_path / "account.key"
    keys.make_key(key)
    return small_world(account_key_file=str(key))


def test_a_pod_in_a_namespace_made_just_now_has_its_account(world: Any, make: Any) -> None:
    world.create("namespaces", {"metadata": {"name": "new"}})
    pod = world.create("pods", make.pod(), "new")
    assert pod["spec"]["serviceAccountName"] == pod["spec"]["serviceAccount"] == "default"


def test_an_account_that_is_not_there_is_named(world: Any, make: Any) -> None:
    with pytest.raises(Forbidden) as refused:
        world.create("pods", make.pod(serviceAccountName="x"))
    assert refused.value.message == (
        'pods "p" is forbidden: error looking up service account default/x: serviceaccount "x" not found'
    )


def test_where_there_is_no_namespace_that_is_what_is_said(world: Any, make: Any) -> None:
    with pytest.raises(NotFound, match='namespaces "none" not found'):
        world.create("pods", make.pod(), "none")


def test_an_account_made_by_another_process_is_found(world: Any, make: Any) -> None:
    first = world.registry
    first.view.catch_up()
    world.registry = world.another(2)
    world.create("serviceaccounts", {"metadata": {"name": "me"}, "imagePullSecrets": [{"name": "pull"}]})
    world.registry = first
    pod = world.create("pods", make.pod(serviceAccountName="me"))
    assert pod["spec"]["imagePullSecrets"] == [{"name": "pull"}]


def test_every_container_can_show_who_it_is(issuing: Any, make: Any) -> None:
    pod = issuing.create("pods", make.pod(initContainers=[{"name": "i", "image": "i"}]))
    volume = next(v for v in pod["spec"]["volumes"] if v["name"].startswith("kube-api-access-"))
    sources = volume["projected"]["sources"]
    assert sources[0] == {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    assert sources[1]["configMap"]["name"] == "kube-root-ca.crt"
    assert sources[2]["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"] == "metadata.namespace"
    for container in [*pod["spec"]["containers"], *pod["spec"]["initContainers"]]:
        assert container["volumeMounts"] == [
            {
                "name": volume["name"],
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            }
        ]


@pytest.mark.parametrize(
    ("of_account", "of_pod", "mounted"),
    [(None, False, False), (False, None, False), (False, True, True), (True, False, False)],
)
def test_pod_and_account_may_do_without_a_token_and_the_pod_has_the_last_word(
    issuing: Any, make: Any, of_account: bool | None, of_pod: bool | None, mounted: bool
) -> None:
    account: dict[str, Any] = {"metadata": {"name": "me"}}
    if of_account is not None:
        account["automountServiceAccountToken"] = of_account
    issuing.create("serviceaccounts", account)
    spec = {} if of_pod is None else {"automountServiceAccountToken": of_pod}
    pod = issuing.create("pods", make.pod(serviceAccountName="me", **spec))
    assert bool(pod["spec"].get("volumes")) is mounted


def test_a_container_with_something_else_at_that_place_keeps_it() -> None:
    own = {"name": "mine", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    spec = {
        "containers": [{"name": "a", "volumeMounts": [own]}],
        "volumes": [{"name": "mine", "emptyDir": {}}],
    }
    assert with_token(spec, "kube-api-access-x") == spec


def test_a_pod_gets_the_number_of_its_class(world: Any, make: Any) -> None:
    world.create(CLASSES, {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"})
    spec = world.create("pods", make.pod(priorityClassName="high"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")


def test_a_pod_without_a_class_gets_the_default_one_or_zero(world: Any, make: Any) -> None:
    assert world.create("pods", make.pod("before"))["spec"]["priority"] == 0
    world.create(CLASSES, {"metadata": {"name": "usual"}, "value": 7, "globalDefault": True})
    spec = world.create("pods", make.pod("after"))["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("usual", 7)


def test_there_is_one_default_class_at_most(world: Any) -> None:
    world.create(CLASSES, {"metadata": {"name": "a"}, "value": 1, "globalDefault": True})
    with pytest.raises(
        Forbidden, match="PriorityClass a is already marked as default. Only one default can exist"
    ):
        world.create(CLASSES, {"metadata": {"name": "b"}, "value": 2, "globalDefault": True})


def test_the_classes_of_the_system_are_there(world: Any, make: Any) -> None:
    assert world.must(CLASSES, "system-node-critical")["value"] == 2_000_001_000
    spec = world.create("pods", make.pod(priorityClassName="system-cluster-critical"))["spec"]
    assert spec["priority"] == 2_000_000_000


def test_a_class_that_is_not_there_or_a_number_that_is_not_its_own_is_refused(world: Any, make: Any) -> None:
    with pytest.raises(Forbidden) as refused:
        world.create("pods", make.pod(priorityClassName="none"))
    assert refused.value.message == 'pods "p" is forbidden: no PriorityClass with name none was found'
    with pytest.raises(
        Forbidden, match=r"the integer value of priority \(5\) must not be provided in pod spec"
    ):
        world.create("pods", make.pod(priority=5))


def test_a_runtime_class_adds_its_overhead_and_where_it_runs(world: Any, make: Any) -> None:
    world.create(
        "runtimeclasses.node.k8s.io",
        {
            "metadata": {"name": "vm"},
            "handler": "vm",
            "overhead": {"podFixed": {"cpu": "100m"}},
            "scheduling": {"nodeSelector": {"vm": "yes"}},
        },
    )
    spec = world.create("pods", make.pod(runtimeClassName="vm", nodeSelector={"disk": "ssd"}))["spec"]
    assert (spec["overhead"], spec["nodeSelector"]) == ({"cpu": "100m"}, {"disk": "ssd", "vm": "yes"})
    with pytest.raises(Forbidden, match='RuntimeClass "none" not found'):
        world.create("pods", make.pod("q", runtimeClassName="none"))


def test_a_claim_gets_the_newest_default_class_and_is_protected(world: Any) -> None:
    for number, name in enumerate(("old", "new", "plain")):
        world.clock.move(10)
        marked = {"storageclass.kubernetes.io/is-default-class": "true"} if number < 2 else {}
        world.create(
            "storageclasses.storage.k8s.io",
            {"metadata": {"name": name, "annotations": marked}, "provisioner": "example.com/x"},
        )
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = world.create("persistentvolumeclaims", {"metadata": {"name": "a"}, "spec": spec})
    assert claim["spec"]["storageClassName"] == "new"
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    none = world.create(
        "persistentvolumeclaims", {"metadata": {"name": "b"}, "spec": {**spec, "storageClassName": ""}}
    )
    assert none["spec"].get("storageClassName", "") == ""
