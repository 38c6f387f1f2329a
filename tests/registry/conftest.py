"""A registry on a real Valkey, with a clock and ids that tests decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.base.ids import RandomIds
from app.base.settings import Settings
from app.registry.bootstrap import bootstrap
from app.registry.listing import Listing
from app.registry.registry import Registry
from app.registry.remove import Removed
from app.registry.request import DeleteOptions, ListOptions, Request
from app.schemas import kinds
from app.store.store import Store
from app.store.view import View
from tests.clock import HandClock

START = 1_800_000_000.0
MERGE = "application/merge-patch+json"


class World:
    """A cluster and short ways to act on it and look at it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.clock = HandClock(START)
        self.store = store
        self.settings = settings
        self.registry = self.another(1)
        bootstrap(self.registry, "192.0.2.1", 6443)

    def another(self, seed: int) -> Registry:
        """One more API process on the same cluster."""
        return Registry(self.store, View(self.store, keep=False), self.clock, RandomIds(seed), self.settings)

    def request(self, **more: Any) -> Request:
        return Request(user="alice", trace="t1", **more)

    def create(
        self, resource: str, obj: dict[str, Any], namespace: str = "default", **more: Any
    ) -> dict[str, Any]:
        kind = kinds.by_resource(resource)
        where = namespace if kind.namespaced else ""
        created: dict[str, Any] = orjson.loads(self.registry.create(self.request(**more), kind, where, obj))
        return created

    def put(self, resource: str, obj: dict[str, Any], subresource: str = "", **more: Any) -> dict[str, Any]:
        kind, meta = kinds.by_resource(resource), obj["metadata"]
        namespace = meta.get("namespace", "default") if kind.namespaced else ""
        put: dict[str, Any] = orjson.loads(
            self.registry.replace(self.request(**more), kind, namespace, meta["name"], obj, subresource)
        )
        return put

    def patch(
        self,
        resource: str,
        name: str,
        body: Any,
        content_type: str = MERGE,
        subresource: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        kind = kinds.by_resource(resource)
        namespace = "default" if kind.namespaced else ""
        patched: dict[str, Any] = orjson.loads(
            self.registry.patch(self.request(**more), kind, namespace, name, body, content_type, subresource)
        )
        return patched

    def delete(self, resource: str, name: str, **options: Any) -> Removed:
        kind = kinds.by_resource(resource)
        namespace = "default" if kind.namespaced else ""
        return self.registry.delete(self.request(), kind, namespace, name, DeleteOptions(**options))

    def list(self, resource: str, namespace: str = "", **options: Any) -> Listing:
        return self.registry.list(
            self.request(), kinds.by_resource(resource), namespace, ListOptions(**options)
        )

    def names(self, resource: str, namespace: str = "", **options: Any) -> list[str]:
        return [record.key.rpartition("/")[2] for record in self.list(resource, namespace, **options).records]

    def get(self, resource: str, key: str) -> dict[str, Any] | None:
        stored = self.store.get(resource, key)
        return orjson.loads(stored.body) if stored else None

    def must(self, resource: str, key: str) -> dict[str, Any]:
        found = self.get(resource, key)
        assert found is not None, f"{resource} {key} is gone"
        return found


def template(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "web:1"}], **spec},
    }


class Manifests:
    """Objects as a user writes them, as small as they can be."""

    def config_map(self, name: str = "a", **data: str) -> dict[str, Any]:
        return {"metadata": {"name": name}, "data": data}

    def pod(self, name: str = "p", **spec: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": template(**spec)["spec"]}

    def deployment(self, name: str = "web", replicas: int = 3) -> dict[str, Any]:
        selector = {"matchLabels": {"app": "web"}}
        return {
            "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": selector, "template": template()},
        }

    def service(self, name: str = "web", **spec: Any) -> dict[str, Any]:
        return {
            "metadata": {"name": name},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec},
        }

    def node(self, name: str = "n1", ready: str = "True", **meta: Any) -> dict[str, Any]:
        condition = {"type": "Ready", "status": ready, "lastTransitionTime": "2027-01-15T08:00:00Z"}
        return {"metadata": {"name": name, **meta}, "status": {"conditions": [condition]}}


@pytest.fixture
def make() -> Manifests:
    return Manifests()


@pytest.fixture
def world(store: Store) -> World:
    return World(store, Settings())


@pytest.fixture
def small_world(store: Store) -> Callable[..., World]:
    """A cluster with settings of one's own."""
    return lambda **settings: World(store, Settings(**settings))
