"""The algebra of field sets, against sets of paths; and their way through FieldsV1."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects.managed import sets
from app.objects.managed.compare import compare
from app.objects.managed.elements import decode_root, key_element, shown, value_element
from app.objects.managed.fields import set_of, with_structs
from app.objects.managed.sets import Path
from tests.objects.ownership import SPEC, THING, configurations, thing, tree

_elements = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
_paths = st.frozensets(st.lists(_elements, min_size=1, max_size=3).map(tuple), max_size=8)


def flat(given: sets.Tree) -> frozenset[Path]:
    return frozenset(sets.paths(given))


@given(_paths)
def test_a_set_holds_the_paths_it_was_made_of(wanted: frozenset[Path]) -> None:
    made = tree(set(wanted))
    assert flat(made) == wanted
    assert all(sets.has(made, path) for path in wanted)
    assert not sets.has(made, ("f:other",))


@given(_paths, _paths)
def test_the_algebra_is_that_of_sets(one: frozenset[Path], other: frozenset[Path]) -> None:
    a, b = tree(set(one)), tree(set(other))
    assert flat(sets.union(a, b)) == one | other
    assert flat(sets.difference(a, b)) == one - other
    assert flat(sets.intersection(a, b)) == one & other
    # One set has one form.
    assert sets.union(a, b) == sets.union(b, a) == tree(set(one | other))
    assert sets.difference(a, b) == tree(set(one - other))
    assert sets.intersection(a, b) == tree(set(one & other))


@given(_paths, _paths)
def test_sets_are_not_changed_and_shared_where_nothing_is_to_do(
    one: frozenset[Path], other: frozenset[Path]
) -> None:
    a, b = tree(set(one)), tree(set(other))
    assert sets.difference(a, tree(set(other - one))) is a
    assert sets.union(a, tree(set(one & other))) is a
    sets.union(a, b), sets.intersection(a, b), sets.difference(a, b)
    assert (a, b) == (tree(set(one)), tree(set(other)))


@given(_paths)
def test_leaves_are_what_has_nothing_below_it(wanted: frozenset[Path]) -> None:
    expected = {p for p in wanted if not any(q != p and q[: len(p)] == p for q in wanted)}
    assert flat(sets.leaves(tree(set(wanted)))) == expected


@given(configurations())
def test_a_set_comes_back_from_fields_v1_as_it_was(config: dict[str, object]) -> None:
    made = set_of(config, THING)
    assert decode_root(orjson.loads(orjson.dumps(made))) == made


def test_other_spellings_of_one_element_are_one() -> None:
    sent = {'k:{ "protocol": "TCP", "port": 80 }': {".": {}}, 'v: "x"': {}, "i:03": {}}
    assert decode_root(sent) == {'k:{"port":80,"protocol":"TCP"}': {}, 'v:"x"': {}, "i:3": {}}


@pytest.mark.parametrize(
    "sent", [[], {"f:a": 1}, {"x:a": {}}, {"k:[1]": {}}, {"k:{": {}}, {"i:x": {}}, {"": {}}]
)
def test_what_is_no_set_of_fields_is_refused(sent: object) -> None:
    with pytest.raises(ValueError):
        decode_root(sent)


def test_keys_take_their_defaults() -> None:
    ports = SPEC.fields["ports"]
    assert key_element({"port": 80}, ports) == 'k:{"port":80,"protocol":"TCP"}'
    assert key_element({"port": 80, "protocol": "UDP"}, ports) == 'k:{"port":80,"protocol":"UDP"}'


def test_paths_are_shown_as_kubernetes_shows_them() -> None:
    path = ("f:spec", 'k:{"port":80,"protocol":"TCP"}', "f:name", value_element("x"), "i:3")
    assert shown(path) == '.spec[port=80,protocol="TCP"].name[="x"][3]'


def test_what_a_configuration_speaks_of() -> None:
    config = thing(
        {
            "replicas": 1, "selector": {"a": "b"}, "strategy": {"rolling": {"surge": 1}}, "ports": [{"port": 80}],
            "free": {"list": [{"x": 1}], "map": {"y": None}, "empty": {}},
        },
        {"app": "web"}, ["f"],
    )  # fmt: skip
    port = {".": {}, "f:port": {}}
    assert set_of(config, THING) == {
        "f:apiVersion": {}, "f:kind": {},
        "f:metadata": {"f:name": {}, "f:labels": {"f:app": {}}, "f:finalizers": {'v:"f"': {}}},
        "f:spec": {
            "f:replicas": {}, "f:selector": {}, "f:strategy": {"f:rolling": {"f:surge": {}}},
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': port},
            "f:free": {"f:list": {}, "f:map": {".": {}, "f:y": {}}, "f:empty": {}},
        },
    }  # fmt: skip


def test_structs_around_members_are_filled_in_but_not_items() -> None:
    inner = {"f:spec": {"f:strategy": {"f:type": {}}, "f:env": {'k:{"name":"x"}': {"f:value": {}}}}}
    assert flat(with_structs(inner, THING)) == {
        ("f:spec",), ("f:spec", "f:strategy"), ("f:spec", "f:strategy", "f:type"), ("f:spec", "f:env"),
        ("f:spec", "f:env", 'k:{"name":"x"}', "f:value"),
    }  # fmt: skip


@given(configurations(), configurations())
def test_what_differs_is_what_one_has_and_the_other_has_not(
    one: dict[str, object], other: dict[str, object]
) -> None:
    there, back = compare(one, other, THING), compare(other, one, THING)
    assert compare(one, one, THING) == ({}, {})
    assert sets.intersection(there.changed, there.removed) == {}
    # What came there goes on the way back; what has another value has so both ways.
    assert sets.difference(there.removed, back.changed) == {}
    assert sets.difference(back.removed, there.changed) == {}


def test_the_order_of_keyed_items_is_no_difference() -> None:
    one, two = {"name": "x", "value": "1"}, {"name": "y", "value": "2"}
    found = compare(thing({"env": [one, two]}), thing({"env": [two, one]}), THING)
    assert found == ({}, {})
