"""CustomResourceDefinitions: whose names are accepted, and what goes with a definition."""

from __future__ import annotations

from typing import Any

from app.objects import conditions, deletion
from app.objects.change import Object
from app.objects.meta import controller_reference
from tests.controllers.worlds import World
from tests.definitions import CRONTABS, DEFINITIONS, definition
from workers.controllers import custom_resources, garbage, namespace
from workers.controllers.all import where


def world(*more: Any) -> World:
    return World([custom_resources.ROLE, *more])


def crontab(name: str, **meta: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "default", **meta}, "spec": {"cronSpec": "* * * * *"}}


def told(world: World, name: str, condition: str) -> tuple[str, str]:
    found = conditions.get(world.objects[DEFINITIONS][name], condition) or {}
    return found.get("status", ""), found.get("reason", "")


def delete(world: World, resource: str, key: str) -> None:
    write = deletion.removal(resource, world.objects[resource][key], world.now)
    assert write is not None
    assert world.commit([write]) == []


def test_a_definition_whose_names_are_free_is_established() -> None:
    one = world()
    one.put(DEFINITIONS, definition())
    one.settle()

    assert told(one, CRONTABS, "NamesAccepted") == ("True", "NoConflicts")
    assert told(one, CRONTABS, "Established") == ("True", "InitialNamesAccepted")
    names = one.objects[DEFINITIONS][CRONTABS]["status"]["acceptedNames"]
    assert (names["plural"], names["kind"], names["listKind"], names["shortNames"]) == (
        "crontabs", "CronTab", "CronTabList", ["ct"],
    )  # fmt: skip


def test_a_name_that_another_definition_has_is_not_accepted_until_that_one_is_gone() -> None:
    one = world()
    one.put(DEFINITIONS, definition())
    one.settle()
    one.put(DEFINITIONS, definition(plural="crontabtwos", kind="CronTab"))
    one.settle()

    second = "crontabtwos.example.com"
    assert told(one, second, "NamesAccepted") == ("False", "ShortNamesConflict") or told(
        one, second, "NamesAccepted"
    ) == ("False", "SingularConflict")
    assert told(one, second, "Established") == ("False", "NotAccepted")

    delete(one, DEFINITIONS, CRONTABS)
    one.settle()

    assert one.keys(DEFINITIONS) == [second]
    assert told(one, second, "Established") == ("True", "InitialNamesAccepted")


def test_what_is_established_stays_so_when_its_new_short_name_is_taken() -> None:
    one = world()
    first, second = definition(), definition(plural="others", kind="Other")
    second["spec"]["names"]["shortNames"] = ["ot"]
    one.put(DEFINITIONS, first)
    one.put(DEFINITIONS, second)
    one.settle()

    one.edit(DEFINITIONS, "others.example.com", lambda d: d["spec"]["names"].update(shortNames=["ct"]))
    one.settle()

    assert told(one, "others.example.com", "NamesAccepted") == ("False", "ShortNamesConflict")
    assert told(one, "others.example.com", "Established")[0] == "True"
    assert one.objects[DEFINITIONS]["others.example.com"]["status"]["acceptedNames"]["shortNames"] == ["ot"]


def test_a_definition_takes_its_objects_with_it_and_goes_last() -> None:
    one = world()
    one.put(DEFINITIONS, definition())
    one.put(CRONTABS, crontab("a"))
    one.put(CRONTABS, crontab("held", finalizers=["example.com/wait"]))
    one.settle()

    delete(one, DEFINITIONS, CRONTABS)
    one.settle()
    assert one.keys(CRONTABS) == ["default/held"]
    assert told(one, CRONTABS, "Terminating") == ("True", "InstanceDeletionInProgress")

    one.edit(CRONTABS, "default/held", lambda obj: obj["metadata"].update(finalizers=[]))
    one.settle()
    assert one.keys(CRONTABS) == []
    assert one.keys(DEFINITIONS) == []


def test_what_a_custom_resource_owns_goes_with_it() -> None:
    one = world(garbage.role(where))
    one.put(DEFINITIONS, definition())
    owner = one.put(CRONTABS, crontab("a"))
    kept = one.put(CRONTABS, crontab("b"))
    for name, by in (("gone", owner), ("stays", kept)):
        meta = {"name": name, "namespace": "default", "ownerReferences": [controller_reference(by)]}
        one.put("configmaps", {"metadata": meta})
    one.settle()

    delete(one, CRONTABS, "default/a")
    one.settle()

    assert one.keys("configmaps") == ["default/stays"]


def test_a_dependent_of_a_custom_resource_that_never_was_is_collected() -> None:
    one = world(garbage.role(where))
    one.put(DEFINITIONS, definition())
    reference = {"apiVersion": "example.com/v1", "kind": "CronTab", "name": "x", "uid": "no-such"}
    one.put("configmaps", {"metadata": {"name": "c", "namespace": "default", "ownerReferences": [reference]}})
    one.settle()

    assert one.keys("configmaps") == []


def test_a_namespace_is_emptied_of_custom_resources_too() -> None:
    one = world(namespace.ROLE)
    one.put(DEFINITIONS, definition())
    one.put("namespaces", {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]}})
    one.put(CRONTABS, crontab("a"))
    one.settle()

    delete(one, "namespaces", "default")
    one.settle()

    assert one.keys("namespaces") == []
    assert one.keys(CRONTABS) == []
