from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.errors import BadRequest
from app.objects import strategic
from app.schemas import kinds
from app.schemas.merge import merge_key

DEPLOYMENT = merge_key(kinds.by_resource("deployments.apps"))
POD = merge_key(kinds.by_resource("pods"))
META = merge_key(kinds.by_resource("configmaps"))

names = st.sampled_from(["a", "b", "c", "d", "e"])
containers: Any = st.lists(
    st.fixed_dictionaries({"name": names, "image": st.sampled_from(["x", "y"])}),
    max_size=4,
    unique_by=lambda c: c["name"],
)


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def test_containers_are_merged_by_name() -> None:
    target = pod({"name": "web", "image": "a", "tty": True}, {"name": "log", "image": "b"})
    patch = pod({"name": "web", "image": "c"})
    result = strategic.apply(target, patch, POD)
    assert result == pod({"name": "web", "image": "c", "tty": True}, {"name": "log", "image": "b"})


def test_a_new_container_comes_in_and_others_stay() -> None:
    result = strategic.apply(pod({"name": "web"}), pod({"name": "log"}), POD)
    assert sorted(c["name"] for c in result["spec"]["containers"]) == ["log", "web"]


def test_environment_variables_are_merged_inside_a_container() -> None:
    target = pod({"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]})
    patch = pod({"name": "web", "env": [{"name": "B", "value": "3"}, {"name": "A", "$patch": "delete"}]})
    assert strategic.apply(target, patch, POD) == pod({"name": "web", "env": [{"name": "B", "value": "3"}]})


def test_ports_are_merged_by_their_own_key() -> None:
    target = pod({"name": "web", "ports": [{"containerPort": 80, "name": "http"}]})
    patch = pod({"name": "web", "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 443}]})
    ports = strategic.apply(target, patch, POD)["spec"]["containers"][0]["ports"]
    assert {p["containerPort"]: p.get("name") for p in ports} == {80: "web", 443: None}


def test_a_list_without_a_strategy_is_replaced() -> None:
    target = pod({"name": "web", "args": ["a", "b"]})
    assert strategic.apply(target, pod({"name": "web", "args": ["c"]}), POD) == pod(
        {"name": "web", "args": ["c"]}
    )


def test_patch_delete_takes_an_element_out() -> None:
    patch = pod({"name": "web", "$patch": "delete"})
    assert strategic.apply(pod({"name": "web"}, {"name": "log"}), patch, POD) == pod({"name": "log"})


def test_patch_replace_replaces_a_whole_list() -> None:
    patch = pod({"name": "new", "image": "x"}, {"$patch": "replace"})
    assert strategic.apply(pod({"name": "web"}, {"name": "log"}), patch, POD) == pod(
        {"name": "new", "image": "x"}
    )


def test_patch_replace_replaces_a_whole_object() -> None:
    target = {"spec": {"nodeSelector": {"a": "b"}}}
    patch = {"spec": {"nodeSelector": {"$patch": "replace", "c": "d"}}}
    assert strategic.apply(target, patch, POD) == {"spec": {"nodeSelector": {"c": "d"}}}


def test_patch_delete_empties_an_object() -> None:
    target = {"spec": {"nodeSelector": {"a": "b"}, "x": 1}}
    assert strategic.apply(target, {"spec": {"nodeSelector": {"$patch": "delete"}}}, POD) == {
        "spec": {"nodeSelector": {}, "x": 1}
    }


def test_patch_merge_says_what_happens_anyway() -> None:
    patch = pod({"name": "web", "image": "x", "$patch": "merge"}, nodeSelector={"$patch": "merge", "c": "d"})
    target = pod({"name": "web", "tty": True}, nodeSelector={"a": "b"})
    assert strategic.apply(target, patch, POD) == pod(
        {"name": "web", "image": "x", "tty": True}, nodeSelector={"a": "b", "c": "d"}
    )


def test_retain_keys_drops_what_it_does_not_name() -> None:
    target = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic.apply(target, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_retain_keys_must_name_what_the_patch_sets() -> None:
    with pytest.raises(BadRequest, match="retainKeys"):
        strategic.apply(
            {"spec": {"strategy": {}}},
            {"spec": {"strategy": {"$retainKeys": ["type"], "other": 1}}},
            DEPLOYMENT,
        )


def test_finalizers_are_a_merged_set_and_can_be_taken_out_by_value() -> None:
    target = {"metadata": {"finalizers": ["a", "b"]}}
    added = strategic.apply(target, {"metadata": {"finalizers": ["c", "a"]}}, META)
    assert sorted(added["metadata"]["finalizers"]) == ["a", "b", "c"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "x"]}}
    assert strategic.apply(target, patch, META) == {"metadata": {"finalizers": ["b"]}}


def test_the_order_asked_for_is_kept_and_what_the_server_alone_knows_stays_in_place() -> None:
    target = pod({"name": "a"}, {"name": "server"}, {"name": "b"}, {"name": "c"})
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}],
            "containers": [{"name": "b", "image": "x"}],
        }
    }
    result = strategic.apply(target, patch, POD)["spec"]["containers"]
    named = [c["name"] for c in result if c["name"] != "server"]
    assert named == ["c", "b", "a"]
    assert {"name": "server"} in result
    assert {"name": "b", "image": "x"} in result


def test_kubectl_removes_a_container_by_order_and_directive() -> None:
    target = pod({"name": "a"}, {"name": "b"})
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"$patch": "delete", "name": "b"}],
        }
    }
    assert strategic.apply(target, patch, POD) == pod({"name": "a"})


def test_nulls_and_directives_never_reach_the_object() -> None:
    patch = {
        "spec": {
            "volumes": [{"name": "v", "emptyDir": {"medium": None}, "$retainKeys": ["name", "emptyDir"]}],
            "x": None,
        }
    }
    assert strategic.apply({}, patch, POD) == {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}


@pytest.mark.parametrize(
    "patch",
    [
        pod({"image": "x"}),
        pod({"name": "web", "$patch": "fly"}),
        {"spec": {"$patch": 1}},
        {"spec": {"$setElementOrder/containers": "x"}},
        {"spec": {"containers": ["x"]}},
        {"spec": {"containers": [["x"]]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": {}}},
    ],
)
def test_a_malformed_patch_is_refused(patch: Any) -> None:
    target = {**pod({"name": "web"}), "metadata": {"finalizers": ["a"]}}
    with pytest.raises(BadRequest):
        strategic.apply(target, patch, POD)


@given(containers, containers)
def test_applied_twice_is_applied_once_and_nothing_is_changed_in_place(target: Any, patch: Any) -> None:
    target, patch = {"spec": {"containers": target}}, {"spec": {"containers": patch}}
    before = copy.deepcopy((target, patch))
    once = strategic.apply(target, patch, POD)
    assert strategic.apply(once, patch, POD) == once
    assert (target, patch) == before


@given(containers, containers)
def test_merging_keeps_every_name_once_with_the_newest_image(target: Any, patch: Any) -> None:
    result = strategic.apply({"spec": {"containers": target}}, {"spec": {"containers": patch}}, POD)["spec"][
        "containers"
    ]
    expected = {c["name"]: c["image"] for c in [*target, *patch]}
    assert {c["name"]: c["image"] for c in result} == expected
    assert len(result) == len(expected)


@given(containers, containers)
def test_a_patch_as_kubectl_makes_it_reproduces_its_target(current: Any, wanted: Any) -> None:
    gone = [c["name"] for c in current if c["name"] not in {w["name"] for w in wanted}]
    patch = {
        "$setElementOrder/containers": [{"name": c["name"]} for c in wanted],
        "containers": [*wanted, *({"$patch": "delete", "name": name} for name in gone)],
    }
    result = strategic.apply({"spec": {"containers": current}}, {"spec": patch}, POD)
    assert result == {"spec": {"containers": wanted}}
