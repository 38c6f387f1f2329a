"""Jobs in a `World`: making them, and letting their pods end."""

from __future__ import annotations

from typing import Any

from app.base.clock import rfc3339
from app.objects import jobs as job_objects
from app.objects.change import Object
from tests.controllers.worlds import World, pod_template

KEY = "default/work"


def job(name: str = "work", **spec: Any) -> Object:
    template = pod_template(app=name, restartPolicy=spec.pop("restartPolicy", "Never"))
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": job_objects.with_defaults({"template": template, **spec}),
    }


def put_job(world: World, **spec: Any) -> Object:
    """A job as it is stored: on its way in it got its selector."""
    return world.put("jobs.batch", job(**spec))


def found(world: World, key: str = KEY) -> Object:
    job = world.get("jobs.batch", key)
    assert job is not None
    return job


def status(world: World) -> Object:
    return dict(found(world).get("status") or {})


def conditions(world: World) -> dict[str, str]:
    """The job's true conditions, with their reasons."""
    given = status(world).get("conditions") or ()
    return {c["type"]: c.get("reason", "") for c in given if c["status"] == "True"}


def active(world: World) -> list[Object]:
    """Pods that run or wait to, by name."""
    return [
        pod
        for pod in world.list("pods")
        if pod["status"].get("phase") not in ("Succeeded", "Failed")
        and not pod["metadata"].get("deletionTimestamp")
    ]


def end(world: World, pod: Object, code: int = 0, **condition: str) -> None:
    """The pod's container ends with `code`, as its agent reports it."""

    def change(obj: Object) -> None:
        ended = {"exitCode": code, "finishedAt": rfc3339(world.now)}
        obj["status"].update(
            phase="Succeeded" if code == 0 else "Failed",
            containerStatuses=[{"name": "main", "restartCount": 0, "state": {"terminated": ended}}],
            conditions=[condition] if condition else [],
        )

    meta = pod["metadata"]
    world.edit("pods", f"{meta['namespace']}/{meta['name']}", change)


def run_out(world: World, pod: Object) -> None:
    """The pod being deleted has ended, and its node is done with it."""

    def change(obj: Object) -> None:
        obj["metadata"]["deletionGracePeriodSeconds"] = 0
        if obj["status"].get("phase") not in ("Succeeded", "Failed"):
            obj["status"]["phase"] = "Failed"

    meta = pod["metadata"]
    key = f"{meta['namespace']}/{meta['name']}"
    if meta.get("finalizers"):
        world.edit("pods", key, change)
    else:
        world.remove("pods", key)
