"""What holds for every object, however odd."""

from __future__ import annotations

import contextlib
from functools import cache

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base.errors import ApiError
from app.schemas import defaults, fields, kinds
from app.schemas.decode import decode
from app.schemas.table import render
from app.schemas.types import apiextensions_schema
from app.schemas.validate import validate, validate_update

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, width=32) | TEXT
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
EVERY = (*kinds.ALL, kinds.SCALE, kinds.EVICTION, kinds.BINDING, kinds.DELETE_OPTIONS)
QUIET = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@cache
def values_of(field, depth):
    """Values that a field can hold."""
    if isinstance(field, fields.Struct):
        return objects_of(field.schema, depth - 1)
    if isinstance(field, fields.ListOf):
        return st.lists(values_of(field.inner, depth), max_size=2)
    if isinstance(field, fields.MapOf):
        return st.dictionaries(TEXT, values_of(field.inner, depth), max_size=2)
    if field.choices:
        return st.sampled_from(field.choices) | TEXT
    for kind, values in (
        (fields.Boolean, st.booleans()),
        (fields.Int32, st.integers(-(2**31), 2**31 - 1)),
        (fields.IntOrString, st.integers(-5, 70000) | TEXT | st.sampled_from(["0%", "25%", "200%"])),
        (fields.Quantity, st.sampled_from(["1", "100m", "1Gi", "1.5", "-1", "1e3", "0"]) | st.integers(0, 9)),
        (fields.Time, st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.25+02:00"])),
        (fields.Bytes, st.sampled_from(["", "aGk=", "YQ=="])),
        (fields.Double, st.floats(allow_nan=False, allow_infinity=False)),
        (apiextensions_schema.Empty, st.just({})),
        (apiextensions_schema.SchemaOrBool, st.booleans()),
        (apiextensions_schema.SchemaOrArray, st.just([{"type": "string"}])),
        (apiextensions_schema.SchemaOrStrings, st.lists(TEXT, min_size=1, max_size=2)),
        (fields.Anything, JSON),
    ):
        if isinstance(field, kind):
            return values
    return TEXT | st.sampled_from(["web", "a", "Always", "10.0.0.1", "None", "v1"])


@cache
def objects_of(schema, depth):
    """Objects whose fields are of the right type."""
    known = schema.fields_of()
    usable = {
        name: values_of(field, depth)
        for name, field in known.items()
        if depth > 0 or field.children() is None
    }
    optional = st.fixed_dictionaries({}, optional=usable)
    return optional


def well_typed(kind):
    metadata = (
        objects_of(kind.schema.fields_of()["metadata"].schema, 2)
        if "metadata" in kind.schema.fields_of()
        else None
    )
    body = objects_of(kind.schema, 5)
    if metadata is None:
        return body
    return st.builds(lambda obj, meta: {**obj, "metadata": meta}, body, metadata)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.kind)
@QUIET
@given(data=st.data())
def test_any_json_is_decoded_or_refused_and_nothing_else(kind, data):
    names = list(kind.schema.fields_of())
    raw = data.draw(JSON | st.dictionaries(st.sampled_from(names), JSON, max_size=4))

    with contextlib.suppress(ApiError):
        obj, unknown = decode(kind, raw)
        assert decode(kind, obj) == (obj, [])
        assert all(isinstance(path, str) for path in unknown)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.kind)
@QUIET
@given(data=st.data())
def test_what_is_well_typed_is_decoded_filled_in_checked_and_shown(kind, data):
    raw = data.draw(well_typed(kind))

    obj, unknown = decode(kind, raw)
    assert unknown == []
    assert decode(kind, obj)[0] == obj
    filled = defaults.apply(kind, obj)
    assert defaults.apply(kind, filled) == filled
    if "metadata" not in obj:
        return
    with contextlib.suppress(ApiError):
        validate(kind, filled)
    with contextlib.suppress(ApiError):
        validate_update(kind, filled, {**filled, "metadata": {**filled["metadata"], "labels": {"a": "b"}}})
    assert orjson.loads(orjson.dumps(render(kind, [filled], 1_800_000_000.0)))["rows"]
