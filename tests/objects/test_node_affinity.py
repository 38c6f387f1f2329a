from __future__ import annotations

import pytest

from app.objects import node_affinity
from app.objects.change import Object


def requiring(*terms: Object) -> Object:
    return {"affinity": {"nodeAffinity": {node_affinity.REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


def named(*names: str, operator: str = "In") -> Object:
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": list(names)}]}


def labelled(key: str, operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, True),
        ({"nodeSelector": {"disk": "fast"}}, True),
        ({"nodeSelector": {"disk": "slow"}}, False),
        (requiring(labelled("disk", "In", "fast", "slow")), True),
        (requiring(labelled("cores", "Gt", "8")), False),
        (requiring(labelled("cores", "Lt", "8")), True),
        (requiring(labelled("gpu", "Exists")), False),
        (requiring(labelled("gpu", "Exists"), named("a")), True),
        (requiring({**labelled("gpu", "DoesNotExist"), **named("b")}), False),
        (requiring(named("a", operator="NotIn")), False),
        (requiring({}), False),
        ({"nodeSelector": {"disk": "slow"}, **requiring(named("a"))}, False),
    ],
)
def test_a_node_matches_by_its_labels_and_its_name(spec: Object, expected: bool) -> None:
    assert node_affinity.matches(spec, "a", {"disk": "fast", "cores": "4"}) is expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, None),
        (requiring(named("a")), ("a",)),
        (requiring(named("a"), named("b", "c")), ("a", "b", "c")),
        (requiring(named("a"), labelled("disk", "Exists")), None),
        (requiring(named("a", operator="NotIn")), None),
    ],
)
def test_the_only_nodes_are_known_where_each_way_in_names_them(
    spec: Object, expected: tuple[str, ...] | None
) -> None:
    assert node_affinity.only(spec) == expected


def test_being_tied_to_a_node_replaces_what_was_required_and_nothing_else() -> None:
    wish = [{"weight": 1, "preference": labelled("disk", "Exists")}]
    apart = {"podAntiAffinity": {"x": 1}}
    given = {
        "nodeAffinity": {
            **requiring(labelled("gpu", "Exists"))["affinity"]["nodeAffinity"],
            "preferred": wish,
        },
        **apart,
    }
    tied = node_affinity.to_node(given, "a")

    assert tied == {
        "nodeAffinity": {**requiring(named("a"))["affinity"]["nodeAffinity"], "preferred": wish},
        **apart,
    }
    assert node_affinity.only({"affinity": tied}) == ("a",)
