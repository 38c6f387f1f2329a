"""Whose fields plans change: an account is kept where there is one already."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.change import Bind, Object, Write, create, update
from app.objects.managed.entries import Manager
from workers.reconcile.ownership import accounted

NOW = 1_800_000_000.0
ME = Manager("me", "Apply", "apps/v1")


class Stored:
    """A view of one object."""

    def __init__(self, obj: Object) -> None:
        self._obj = obj

    def get(self, resource: str, key: str) -> Object | None:
        return self._obj


def deployment(tracked: bool = True, **spec: Any) -> Object:
    meta: Object = {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "1"}
    if tracked:
        meta["managedFields"] = [ME.entry({"f:spec": {"f:replicas": {}, "f:paused": {}}}, "")]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"replicas": 1, **spec}}


def written(old: Object, new: Object, **more: Any) -> Object:
    (write,) = accounted([update("deployments.apps", new, **more)], Stored(old), "autoscaler", NOW)  # type: ignore[arg-type]
    return write.obj


def test_what_a_controller_changes_becomes_its_own() -> None:
    old = deployment()
    entries = written(old, deployment(replicas=2))["metadata"]["managedFields"]
    assert [(entry["manager"], entry["operation"], entry["fieldsV1"]) for entry in entries] == [
        ("me", "Apply", {"f:spec": {"f:paused": {}}}),
        ("autoscaler", "Update", {"f:spec": {"f:replicas": {}}}),
    ]
    assert entries[1]["time"] == "2027-01-15T08:00:00Z"


@pytest.mark.parametrize("tracked", [True, False])
def test_statuses_are_not_accounted_for(tracked: bool) -> None:
    old = deployment(tracked)
    new = {**old, "status": {"replicas": 1}}
    assert written(old, new) is new


def test_nothing_is_kept_of_what_nobody_keeps_account_of() -> None:
    new = deployment(False, replicas=2)
    assert written(deployment(False), new) is new


def test_binding_changes_no_owners() -> None:
    new = deployment(replicas=2)
    assert written(deployment(), new, bind=Bind("n1", 1)) is new


def test_what_is_new_or_gone_passes_as_it_is() -> None:
    made = create("deployments.apps", deployment())
    gone: list[Write] = accounted([made], Stored(deployment(replicas=2)), "x", NOW)  # type: ignore[arg-type]
    assert gone == [made]


def test_a_kind_without_a_schema_here_is_accounted_for_by_what_its_objects_show() -> None:
    old = deployment()
    new = deployment(replicas=2, ports=[1])
    (write,) = accounted([update("poles.example.com", new)], Stored(old), "x", NOW)  # type: ignore[arg-type]
    entry = write.obj["metadata"]["managedFields"][1]
    assert entry["fieldsV1"] == {"f:spec": {"f:replicas": {}, "f:ports": {}}}
