"""A StatefulSet in a world where pods start and end as they should."""

from __future__ import annotations

from typing import Any

from app.objects.change import Object
from app.objects.meta import controller_of
from tests.controllers.worlds import World, stateful_set

KEY = "default/web"


def put(world: World, **spec: Any) -> None:
    world.put("statefulsets.apps", stateful_set(**spec))
    settle(world)


def change(world: World, **spec: Any) -> None:
    def edited(obj: Object) -> None:
        obj["spec"].update(spec)
        obj["metadata"]["generation"] += 1

    world.edit("statefulsets.apps", KEY, edited)
    settle(world)


def settle(world: World) -> None:
    """Until all is at rest: pods start and end as they should."""
    for _ in range(100):
        world.settle()
        found = world.list("pods")
        ending = [p for p in found if p["metadata"].get("deletionTimestamp")]
        starting = [
            p for p in found if p not in ending and p["status"]["phase"] == "Pending" and owned_by_set(p)
        ]
        for each in ending:
            world.remove("pods", f"default/{each['metadata']['name']}")
        for each in starting:
            world.make_ready(f"default/{each['metadata']['name']}")
        if not ending and not starting:
            return
    raise AssertionError("never at rest")


def owned_by_set(found: Object) -> bool:
    return (controller_of(found) or {}).get("kind") == "StatefulSet"


def names(world: World, resource: str = "pods") -> list[str]:
    return [key.partition("/")[2] for key in world.keys(resource)]


def status(world: World) -> Object:
    found: Object = world.objects["statefulsets.apps"][KEY]["status"]
    return found
