"""What a schema makes of objects: pruned, filled in, checked."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemas.custom.schema import CustomSchema
from app.schemas.faults import Faults
from tests.definitions import SCHEMA, crontab

NAMES = st.sampled_from(
    [
        "cronSpec",
        "replicas",
        "image",
        "mode",
        "any",
        "parts",
        "name",
        "weight",
        "sizes",
        "port",
        "x",
        "spec",
        "note",
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.floats(width=32)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
SPECS = st.dictionaries(NAMES, JSON, max_size=6)


def made(obj, old=None):
    """The causes against an object, and the object as it would be stored."""
    schema = CustomSchema(SCHEMA)
    obj = schema.filled(schema.pruned(obj, []))
    faults = Faults()
    schema.check(obj, old, faults)
    return [f"{cause.field}: {cause.message}" for cause in faults.causes], obj


def causes(spec=None, old=None, **more):
    return made(crontab(**{**(spec or {}), **more}), old)[0]


def test_what_the_schema_does_not_know_is_dropped_and_named():
    schema, dropped = CustomSchema(SCHEMA), []
    given = crontab(x=1, any={"x": {"y": 1}}, sizes={"a": 1}, parts=[{"name": "p", "x": 1}])

    pruned = schema.pruned({**given, "y": 1}, dropped)

    assert dropped == ["spec.x", "spec.parts[0].x", "y"]
    assert pruned["spec"]["any"] == {"x": {"y": 1}}
    assert pruned["spec"]["sizes"] == {"a": 1}


def test_defaults_are_filled_in_at_every_depth():
    filled = made(crontab(parts=[{"name": "p"}]))[1]["spec"]

    assert (filled["image"], filled["replicas"], filled["parts"]) == (
        "busybox",
        1,
        [{"name": "p", "weight": 1}],
    )


def test_a_null_counts_as_absent_unless_the_schema_allows_it():
    spec = made(crontab(image=None, mode=None, note=None))[1]["spec"]

    assert spec["image"] == "busybox"
    assert "mode" not in spec
    assert spec["note"] is None


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        (
            {"replicas": "x"},
            'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        ),
        (
            {"replicas": 11},
            "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
        ),
        ({"cronSpec": "x"}, r'spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match '
                            r"'^(\S+ ){4}\S+$'"),
        ({"mode": "c"}, 'spec.mode: Unsupported value: "c": supported values: "a", "b"'),
        (
            {"port": 1.5},
            'spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"',
        ),
        (
            {"sizes": {"a": "b"}},
            'spec.sizes.a: Invalid value: "string": spec.sizes.a in body must be of type integer: "string"',
        ),
        ({"parts": [{"weight": 1}]}, "spec.parts[0].name: Required value"),
        ({"parts": [{"name": "a"}, {"name": "a"}]}, 'spec.parts[1]: Duplicate value: {"name":"a"}'),
        ({"parts": [{"name": n} for n in "abcd"]}, "spec.parts: Too many: 4: must have at most 3 items"),
        ({"replicas": 5, "most": 4}, 'spec: Invalid value: "object": more replicas than most'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_words_of_kubernetes(spec, cause):
    assert causes(spec) == [cause]


def test_a_missing_part_is_required():
    assert made({"metadata": {"name": "a"}})[0] == ["spec: Required value"]


def test_a_whole_number_may_be_written_with_a_fraction():
    assert causes(replicas=2.0) == []


def test_a_transition_rule_compares_with_what_was_there():
    old = made(crontab(fixed="a"))[1]

    assert causes(fixed="a") == []
    assert causes({"fixed": "a"}, old) == []
    assert causes({"fixed": "b"}, old) == ['spec.fixed: Invalid value: "string": may not change']


def test_what_an_update_leaves_as_it_was_is_not_refused():
    old = crontab(replicas=99, mode="old")

    assert causes({"replicas": 99, "mode": "old", "image": "new"}, old) == []
    assert len(causes({"replicas": 98, "mode": "old"}, old)) == 1


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, "(oneOf). Found none valid"),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1, "b": 1},
            "Found 2 valid alternatives",
        ),
        (
            {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {},
            "must validate at least one schema (anyOf)",
        ),
        ({"not": {"required": ["a"]}}, {"a": 1}, "must not validate the schema (not)"),
        ({"allOf": [{"required": ["a"]}]}, {}, "must validate all the schemas (allOf)"),
    ],
)
def test_alternatives_are_looked_at_together(schema, value, message):
    known = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, **schema}
    whole = CustomSchema({"type": "object", "properties": {"spec": known}})
    faults = Faults()
    whole.check({"spec": value}, None, faults)

    assert any(message in cause.message for cause in faults.causes)


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date-time", "2026-01-31T12:00:00Z", "2026-01-31"),
        ("date", "2026-01-31", "2026-02-31"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.1"),
        ("uuid", "f8cb5cd5-1404-4f69-b06b-643fff7239c1", "f8cb"),
        ("email", "a@example.com", "a"),
        ("byte", "aGk=", "a"),
        ("duration", "1h30m", "soon"),
        ("hostname", "a.example.com", "-a"),
        ("mac", "00:1b:63:84:45:e6", "00:1b"),
        ("nobody-knows-it", "anything", None),
    ],
)
def test_formats_are_those_that_kubernetes_checks(form, good, bad):
    schema = CustomSchema({"type": "object", "properties": {"a": {"type": "string", "format": form}}})
    for value, right in ((good, True), (bad, False)):
        if value is not None:
            faults = Faults()
            schema.check({"a": value}, None, faults)
            assert (not faults.causes) is right, value


def test_an_embedded_object_keeps_its_identity_and_must_have_one():
    schema = CustomSchema(
        {"type": "object", "properties": {"pod": {
            "type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}}}}
    )  # fmt: skip
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"x": 1}, "y": 1}
    dropped: list[str] = []

    assert schema.pruned({"pod": pod}, dropped)["pod"].keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert dropped == ["pod.spec.x", "pod.y"]
    faults = Faults()
    schema.check({"pod": {"kind": "Pod"}}, None, faults)
    assert [cause.field for cause in faults.causes] == ["pod.apiVersion"]


@settings(max_examples=150, deadline=None)
@given(SPECS)
def test_pruning_twice_is_pruning_once(spec):
    schema, dropped = CustomSchema(SCHEMA), []
    obj = {"metadata": {"name": "a"}, "spec": spec}
    before = copy.deepcopy(obj)

    once = schema.pruned(obj, [])

    assert schema.pruned(once, dropped) == once
    assert dropped == []
    assert repr(obj) == repr(before)


@settings(max_examples=150, deadline=None)
@given(SPECS)
def test_filling_in_twice_is_filling_in_once(spec):
    schema = CustomSchema(SCHEMA)
    obj = {"metadata": {"name": "a"}, "spec": spec}
    before = copy.deepcopy(obj)

    once = schema.filled(obj)

    assert schema.filled(once) == once or repr(schema.filled(once)) == repr(once)
    assert repr(obj) == repr(before)


@settings(max_examples=150, deadline=None)
@given(SPECS, st.none() | SPECS)
def test_any_json_is_found_right_or_wrong(spec, old):
    found, _ = made({"metadata": {"name": "a"}, "spec": spec}, old and {"spec": old})

    assert all(isinstance(cause, str) for cause in found)
