from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.errors import BadRequest, Invalid, TooLarge
from app.objects import json_patch, merge_patch, strategic
from app.schemas import kinds
from app.schemas.merge import merge_key

DEPLOYMENT = merge_key(kinds.by_resource("deployments.apps"))
POD = merge_key(kinds.by_resource("pods"))

keys = st.text("abc", min_size=1, max_size=2)
values: Any = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.text("xy", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
objects: Any = st.dictionaries(keys, values, max_size=4)
patches: Any = st.dictionaries(
    keys, st.none() | values | st.dictionaries(keys, st.none() | values, max_size=3), max_size=4
)


# The examples of RFC 7386, appendix A, that start and end with an object.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_rfc_shows(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch.apply(target, patch) == result


@given(objects, patches)
def test_a_merge_patch_applied_twice_is_applied_once(target: Any, patch: Any) -> None:
    before = copy.deepcopy((target, patch))
    once = merge_patch.apply(target, patch)
    assert merge_patch.apply(once, patch) == once
    assert (target, patch) == before


@given(objects, objects)
def test_a_computed_merge_patch_reproduces_its_target(source: Any, target: Any) -> None:
    patch = merge_patch.between(source, target)
    result = merge_patch.apply(source, patch)
    assert result == target
    assert merge_patch.between(result, target) == {}


@given(objects, patches)
def test_without_keyed_lists_a_strategic_patch_is_a_merge_patch(target: Any, patch: Any) -> None:
    expected = merge_patch.apply(target, patch)
    assert strategic.apply(target, patch, POD) == expected


def test_a_json_patch_is_applied_in_order_and_leaves_its_target_alone() -> None:
    target = {"spec": {"replicas": 1, "list": ["a", "c"]}}
    patch = [
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "replace", "path": "/spec/replicas", "value": 3},
        {"op": "add", "path": "/spec/list/1", "value": "b"},
        {"op": "add", "path": "/spec/list/-", "value": "d"},
        {"op": "copy", "from": "/spec/replicas", "path": "/spec/copied"},
        {"op": "move", "from": "/spec/copied", "path": "/spec/moved"},
        {"op": "remove", "path": "/spec/list/0"},
        {"op": "add", "path": "/a~1b", "value": {"x~y": 1}},
    ]
    result = json_patch.apply(target, patch)
    assert result == {"spec": {"replicas": 3, "list": ["b", "c", "d"], "moved": 3}, "a/b": {"x~y": 1}}
    assert target == {"spec": {"replicas": 1, "list": ["a", "c"]}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/missing"},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/a/b/c", "value": 1},
        {"op": "move", "from": "/missing", "path": "/a"},
        {"op": "remove", "path": "/list/x"},
        {"op": "replace", "path": "", "value": 3},
    ],
)
def test_a_json_patch_that_does_not_fit_is_unprocessable(operation: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        json_patch.apply({"a": 1, "list": [1]}, [operation])
    assert refused.value.message == "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    "patch",
    [
        {}, "x", [1], [{}], [{"op": "fly", "path": "/a"}], [{"op": "add", "path": 1, "value": 1}],
        [{"op": "add", "path": "/a"}], [{"op": "add", "path": "a", "value": 1}], [{"op": "move", "path": "/a"}],
        [{"op": "add", "path": "/a~2", "value": 1}],
    ],
)  # fmt: skip
def test_a_malformed_json_patch_is_refused(patch: Any) -> None:
    with pytest.raises((BadRequest, Invalid)):
        json_patch.apply({"a": 1}, patch)


def test_a_json_patch_has_a_bounded_number_of_operations() -> None:
    with pytest.raises(TooLarge, match="The allowed maximum operations in a JSON patch is 10000, got 10001"):
        json_patch.apply({}, [{"op": "test", "path": "", "value": {}}] * 10_001)


@given(
    objects,
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "test"]),
                "path": st.text("/ab0-~1", max_size=5),
                "value": values,
            }
        ),
        max_size=4,
    ),
)
def test_any_json_patch_is_applied_or_refused(target: Any, patch: Any) -> None:
    before = copy.deepcopy(target)
    with contextlib.suppress(BadRequest, Invalid):
        json_patch.apply(target, patch)
    assert target == before


@pytest.mark.parametrize("patch", [None, 1, [], "x"])
def test_a_merge_patch_that_is_no_object_is_refused(patch: Any) -> None:
    with pytest.raises(BadRequest):
        merge_patch.apply({}, patch)
    with pytest.raises(BadRequest):
        strategic.apply({}, patch, POD)
