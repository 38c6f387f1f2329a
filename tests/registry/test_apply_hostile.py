"""Configurations that nobody would write: applied or refused, and the same if applied again."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app.base.errors import ApiError
from app.schemas import kinds
from app.schemas.kind import Kind
from tests.registry.conftest import World

DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "a", "labels": {"a": "b"}, "finalizers": ["a/b"], "annotations": {"x": "y"}},
    "spec": {
        "replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "strategy": {"rollingUpdate": {"maxSurge": 1}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{
                "name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}],
                "resources": {"limits": {"cpu": "1"}},
            }]},
        },
    },
    "status": {"conditions": [{"type": "A", "status": "True"}]},
}  # fmt: skip
SERVICE = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},
    "spec": {"selector": {"a": "b"}, "ports": [{"port": 80, "name": "x"}, {"port": 80, "protocol": "UDP", "name": "y"}]},
}  # fmt: skip
SCALER = {
    "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}},
}  # fmt: skip
CONFIGURATIONS = [
    DEPLOYMENT,
    SERVICE,
    {**SCALER, "apiVersion": "autoscaling/v1"},
    {**SCALER, "apiVersion": "autoscaling/v2"},
]
SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 2}}
STRANGE: list[Any] = [
    None, 0, -1, 1.5, True, "", "x", [], {}, [1], [[]], [None], {"": ""}, {"name": "x"}, [{}], "1000m", 2**63,
    [{"name": "x"}, {"name": "x"}], {"k:": {".": {}}},
]  # fmt: skip


def kind_of(config: dict[str, Any]) -> Kind:
    return next(
        kind for kind in kinds.ALL if (kind.api_version, kind.kind) == (config["apiVersion"], config["kind"])
    )


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield (*path, key)
        yield from spots(part, (*path, key))


@st.composite
def distorted(draw: Any, given: dict[str, Any]) -> Any:
    """A configuration with up to three places gone, or strange."""
    config = copy.deepcopy(given)
    for _ in range(draw(st.integers(0, 3))):
        known = list(spots(config))
        if not known:
            break
        *above, last = draw(st.sampled_from(known))
        inside = config
        for key in above:
            inside = inside[key]
        if draw(st.booleans()):
            inside[last] = copy.deepcopy(draw(st.sampled_from(STRANGE)))
        else:
            del inside[last]
    return config


@st.composite
def requests(draw: Any) -> tuple[Kind, Any, str, str, bool]:
    """What is applied, and where, by whom, by force or not."""
    given = draw(st.sampled_from(CONFIGURATIONS))
    kind = kind_of(given)
    subresource = draw(st.sampled_from(["", "", "status", "scale"]))
    if subresource not in kind.subresources:
        subresource = ""
    config = draw(distorted(SCALE if subresource == "scale" else given))
    return kind, config, subresource, draw(st.sampled_from(["a", "b", "kubectl"])), draw(st.booleans())


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(requests(), min_size=1, max_size=6))
def test_any_configuration_is_applied_or_refused_and_the_same_when_repeated(
    world: World, history: list[tuple[Kind, Any, str, str, bool]]
) -> None:
    for kind, config, subresource, manager, force in history:
        asked = {"field_manager": manager, "force": force, "groups": ("system:masters",)}
        try:
            world.registry.apply(world.request(**asked), kind, "default", "a", config, subresource)
            once = world.get(kind.storage.resource, "default/a")
            world.clock.move(1)
            world.registry.apply(world.request(**asked), kind, "default", "a", config, subresource)
        except ApiError as refused:
            event(f"refused with {refused.code}")
            if refused.code >= 500:
                raise
        else:
            event("applied")
            assert world.get(kind.storage.resource, "default/a") == once
