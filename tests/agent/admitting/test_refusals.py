"""Nothing that a pod asks for is ignored in silence: every field of its schema is decided upon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from app.schemas.field import Field
from app.schemas.fields import ListOf, Struct, Type
from app.schemas.types.core_pod import PodSpec
from tests.agent.pod_fields import ACTED_UPON, MEANINGLESS, ONE_OF_MANY
from workers.agent.admitting.needs import NEEDS, Fate
from workers.agent.admitting.refusals import CONTAINERS, check_debugger, lacks
from workers.runtime.features import Feature
from workers.runtime.protocol import Unsupported

ROOMS = ("workers", "app/registry", "app/objects")
ALL = frozenset(Feature)


def fields(schema: type[Type], path: str) -> Iterator[tuple[str, str]]:
    """The path of every field below, and the same field as `Type.field`."""
    for name, found in schema._declared_fields.items():
        named = f"{schema.__name__}.{name}"
        yield f"{path}.{name}", named
        inner: Any = found
        while isinstance(inner, ListOf):
            inner = inner.inner
        assert isinstance(inner, Field)
        if isinstance(inner, Struct) and inner.schema.__name__ not in ONE_OF_MANY:
            suffix = "[]" if inner is not found else ""
            yield from fields(inner.schema, f"{path}.{name}{suffix}")


FIELDS = dict(fields(PodSpec, "spec"))


def decided_by_the_table() -> set[str]:
    return {need.field.replace("{c}", c) for need in NEEDS for c in CONTAINERS}


def whole() -> set[str]:
    """What is decided upon with all that is below."""
    return {
        need.field.replace("{c}", c) for need in NEEDS for c in CONTAINERS if not need.only and not need.but
    }


def test_every_field_of_a_pod_is_acted_upon_or_refused_or_told_or_means_nothing() -> None:
    table, gone = decided_by_the_table(), whole()
    above = {path.rpartition(".")[0].removesuffix("[]") for path in table | set(FIELDS)}
    undecided = {
        named
        for path, named in FIELDS.items()
        if named not in ACTED_UPON
        and named not in MEANINGLESS
        and path not in table
        and path not in above
        and not any(path.startswith(f"{each}{end}") for each in gone for end in (".", "[]."))
    }
    assert undecided == set(), (
        "say in workers/agent/admitting/needs.py or tests/agent/pod_fields.py what becomes of them"
    )


def test_what_is_said_to_be_acted_upon_is_read_somewhere() -> None:
    words: set[str] = set()
    for room in ROOMS:
        for module in Path(room).rglob("*.py"):
            if module.name != "needs.py":
                words |= set(re.findall(r"\w+", module.read_text()))
    assert {each for each in ACTED_UPON if each.rpartition(".")[2] not in words} == set()


def test_the_lists_name_fields_that_there_are() -> None:
    assert decided_by_the_table() - _with_keys() - set(FIELDS) == set()
    assert (ACTED_UPON | set(MEANINGLESS)) - set(FIELDS.values()) == set()


def _with_keys() -> set[str]:
    """Paths into maps, whose keys no schema names."""
    return {path for path in decided_by_the_table() if re.search(r"\.(limits|requests)\.", path)}


def test_every_feature_is_asked_for_by_some_field() -> None:
    mentioned = {need.feature for need in NEEDS}
    # These no field asks for by its name: a runtime without images says so of `command`, one without a view of the file
    # system of `volumeMounts`; processes are limited by the node's settings, and devices are names of resources.
    elsewhere = {Feature.IMAGES, Feature.MOUNTS, Feature.PIDS_LIMIT, Feature.DEVICES}
    assert set(Feature) - mentioned - elsewhere == set()


def pod(container: dict[str, Any] | None = None, **spec: Any) -> Object:
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "u"},
        "spec": {"containers": [{"name": "main", "image": "web", **(container or {})}], **spec},
    }


def refused(asked: Object, features: frozenset[Feature], runtime: str) -> list[str]:
    return lacks(asked, features, runtime)[0]


def not_applied(asked: Object, features: frozenset[Feature]) -> list[str]:
    return lacks(asked, features, "process")[1]


def test_a_refusal_names_the_field_of_this_very_pod() -> None:
    asked = pod(initContainers=[{"name": "a"}, {"name": "b", "securityContext": {"privileged": True}}])
    said = "spec.initContainers[1].securityContext.privileged: the process runtime has no privileged containers here"
    assert refused(asked, ALL, "process") == []
    assert refused(asked, ALL - {Feature.PRIVILEGED}, "process") == [said]


def test_what_only_bounds_a_pod_is_told_and_does_not_keep_it_from_running() -> None:
    asked = pod({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1"}}})
    assert refused(asked, frozenset(), "process") == []
    assert not_applied(asked, frozenset()) == [
        "spec.containers[0].resources.limits.cpu",
        "spec.containers[0].resources.limits.memory",
    ]
    assert not_applied(asked, ALL) == []


@pytest.mark.parametrize(
    "harmless",
    [
        {"hostNetwork": False, "hostUsers": True, "shareProcessNamespace": False},
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}, "supplementalGroupsPolicy": "Merge"}},
        {
            "securityContext": {
                "appArmorProfile": {"type": "RuntimeDefault"},
                "seLinuxOptions": {},
                "sysctls": [],
            }
        },
        {"os": {"name": "linux"}},
    ],
)
def test_what_asks_for_nothing_is_never_refused(harmless: dict[str, Any]) -> None:
    assert refused(pod(**harmless), frozenset(), "process") == []
    assert not_applied(pod(**harmless), frozenset()) == []


def test_false_asks_for_something_where_true_is_usual() -> None:
    fields = ["spec.containers[0].securityContext.allowPrivilegeEscalation", "spec.hostUsers"]
    asked = pod({"securityContext": {"allowPrivilegeEscalation": False}}, hostUsers=False)
    assert sorted(text.partition(":")[0] for text in refused(asked, frozenset(), "process")) == fields


def test_an_ephemeral_container_is_refused_by_itself_and_its_pod_runs_on() -> None:
    asked = pod(ephemeralContainers=[{"name": "look", "securityContext": {"privileged": True}}])
    without = ALL - {Feature.PRIVILEGED}
    assert refused(asked, without, "process") == []
    check_debugger(asked, "main", without, "process")
    check_debugger(asked, "look", ALL, "process")
    with pytest.raises(Unsupported, match=r"spec.ephemeralContainers\[0\].securityContext.privileged"):
        check_debugger(asked, "look", without, "process")


def test_a_volume_that_no_runtime_has_is_refused_by_any() -> None:
    asked = pod(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "csi": {"driver": "d"}}])
    assert refused(asked, ALL, "docker") == ["spec.volumes[1].csi: this kind of volume is not supported"]


def test_what_protects_somebody_is_never_merely_told() -> None:
    """But for the usual seccomp profile, without which pods of the level `restricted` ran nowhere but on engines
    (docs/decisions/0036-refusals.md)."""
    told = {need.field for need in NEEDS if need.fate is Fate.TOLD and "ecurityContext" in need.field}
    assert {field.rpartition("securityContext.")[2] for field in told} <= {
        "seccompProfile.type",
        "fsGroup",
    }
