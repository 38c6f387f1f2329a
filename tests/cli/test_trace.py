"""`beanpole trace` tells what a request did, in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from app.base.errors import UserError
from app.base.settings import Settings
from app.cli.trace import show
from app.objects.change import Trace, create, update
from app.store.store import Committed, Store

FIRST, SECOND = "aaaa0123456789ab", "bbbb0123456789ab"
Put = Callable[..., int]


@pytest.fixture
def settings(redis_url: str, cluster: str) -> Settings:
    return Settings(redis_url=redis_url, cluster=cluster)


@pytest.fixture
def put(store: Store) -> Put:
    """`put(name, actor, trace, at)` commits a ConfigMap; its revision."""

    def commit(name: str, actor: str, trace: Trace, at: float) -> int:
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
        there = store.get("configmaps", f"default/{name}")
        write = update("configmaps", json.loads(there.body)) if there else create("configmaps", obj)
        (done,) = store.commit([write], actor=actor, trace=trace, now=at)
        assert isinstance(done, Committed)
        return done.revision

    return commit


def test_a_trace_shows_each_step_with_its_time_and_cause(settings: Settings, put: Put) -> None:
    began = put("asked", "admin", Trace(FIRST, 0), 1000.0)
    put("other", "admin", Trace(SECOND, 0), 1000.1)
    put("caused", "worker", Trace(FIRST, began), 1000.25)
    head, *steps = show(settings, FIRST)
    assert head == f"trace {FIRST}, begun 1970-01-01T00:16:40.000000Z"
    assert len(steps) == 2
    assert steps[0].split()[:2] == ["+", "0.000"]
    assert "asked for" in steps[0]
    assert steps[0].endswith("configmaps/default/asked")
    assert steps[1].split()[:2] == ["+", "0.250"]
    assert f"after {began}" in steps[1]
    assert "worker" in steps[1]


def test_of_an_object_the_last_change_is_followed(settings: Settings, put: Put) -> None:
    put("web", "admin", Trace(FIRST, 0), 1000.0)
    put("web", "admin", Trace(SECOND, 0), 1001.0)
    assert next(show(settings, "configmaps/default/web")).startswith(f"trace {SECOND}")


def test_what_the_log_does_not_know_is_told(settings: Settings, put: Put) -> None:
    put("web", "admin", Trace(FIRST, 0), 1000.0)
    with pytest.raises(UserError, match="knows no trace 'nonesuch'"):
        list(show(settings, "nonesuch"))
    with pytest.raises(UserError, match="holds nothing of configmaps/default/other"):
        list(show(settings, "configmaps/default/other"))
