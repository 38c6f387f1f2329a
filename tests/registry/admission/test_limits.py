"""LimitRanges: what containers get, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import Forbidden


def limits(**item: Any) -> dict[str, Any]:
    return {"metadata": {"name": "lr"}, "spec": {"limits": [{"type": "Container", **item}]}}


def pod_with(make: Any, name: str = "p", **resources: Any) -> dict[str, Any]:
    return make.pod(name, containers=[{"name": "c", "image": "i", "resources": resources}])


def resources_of(pod: dict[str, Any]) -> dict[str, Any]:
    return pod["spec"]["containers"][0]["resources"]


def test_a_silent_container_gets_the_defaults_and_an_annotation_says_so(world: Any, make: Any) -> None:
    world.create("limitranges", limits(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "500m"}))
    pod = world.create("pods", make.pod())
    assert resources_of(pod) == {
        "limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }
    assert pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container web; cpu, memory limit for container web"
    )
    assert pod["status"]["qosClass"] == "Burstable"


def test_what_the_author_said_stands(world: Any, make: Any) -> None:
    world.create("limitranges", limits(default={"cpu": "1"}, defaultRequest={"cpu": "500m"}))
    pod = world.create("pods", pod_with(make, limits={"cpu": "250m"}))
    assert resources_of(pod) == {"limits": {"cpu": "250m"}, "requests": {"cpu": "250m"}}


def test_pods_of_other_namespaces_get_nothing(world: Any, make: Any) -> None:
    world.create("limitranges", limits(default={"cpu": "1"}))
    world.create("namespaces", {"metadata": {"name": "other"}})
    assert not resources_of(world.create("pods", make.pod(), "other"))


@pytest.mark.parametrize(
    ("item", "resources", "said"),
    [
        (
            {"min": {"cpu": "100m"}},
            {"limits": {"cpu": "50m"}},
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"max": {"memory": "1Gi"}},
            {"limits": {"memory": "1536Mi"}},
            "maximum memory usage per Container is 1Gi, but limit is 1536Mi",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"limits": {"cpu": "1"}, "requests": {"cpu": "250m"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {},
            "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
        ),
        (
            {"type": "Pod", "max": {"cpu": "1"}},
            {},
            "maximum cpu usage per Pod is 1.  No limit is specified",
        ),
        (
            {"type": "Pod", "min": {"cpu": "1"}},
            {"limits": {"cpu": "500m"}},
            "minimum cpu usage per Pod is 1, but request is 500m",
        ),
    ],
)
def test_what_breaks_a_bound_is_refused_in_the_words_of_kubernetes(
    world: Any, make: Any, item: dict[str, Any], resources: dict[str, Any], said: str
) -> None:
    world.create("limitranges", limits(**item))
    with pytest.raises(Forbidden) as refused:
        world.create("pods", pod_with(make, **resources))
    assert refused.value.message == f'pods "p" is forbidden: {said}'
    assert world.get("pods", "default/p") is None


def test_several_reasons_are_told_together(world: Any, make: Any) -> None:
    world.create("limitranges", limits(max={"cpu": "1", "memory": "1Gi"}))
    with pytest.raises(Forbidden, match=r"is forbidden: \[maximum cpu .* is 2, maximum memory .* is 2Gi\]"):
        world.create("pods", pod_with(make, limits={"cpu": "2", "memory": "2Gi"}))


def test_a_claim_must_ask_for_what_is_allowed(world: Any) -> None:
    bounds = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "5Gi"}}
    world.create("limitranges", {"metadata": {"name": "lr"}, "spec": {"limits": [bounds]}})
    claim = {
        "metadata": {"name": "big"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
    }
    with pytest.raises(Forbidden) as refused:
        world.create("persistentvolumeclaims", claim)
    assert refused.value.message == (
        'persistentvolumeclaims "big" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, '
        "but request is 10Gi"
    )


def test_a_new_limit_range_binds_a_process_that_has_not_heard_of_it(world: Any, make: Any) -> None:
    behind = world.registry
    behind.view.catch_up()
    world.registry = world.another(2)
    world.create("limitranges", limits(default={"cpu": "1"}))
    world.registry = behind
    assert resources_of(world.create("pods", make.pod()))["limits"] == {"cpu": "1"}
