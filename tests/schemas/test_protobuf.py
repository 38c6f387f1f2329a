"""Bodies in protobuf say what the same bodies in JSON say."""

from __future__ import annotations

import base64
import contextlib
from datetime import datetime
from functools import cache

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base.errors import ApiError, BadRequest
from app.schemas import fields, kinds
from app.schemas.decode import decode as decode_json
from app.schemas.protobuf.decode import MAGIC, decode
from app.schemas.protobuf.messages import ENVELOPE, KINDS, message_class, messages
from app.schemas.protobuf.table import tables
from app.schemas.types import apiextensions_schema

QUIET = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")
# As kubectl 1.32 and 1.37 send them, byte for byte.
NAMESPACE = "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA=="
SECRET = (
    "azhzAAoMCgJ2MRIGU2VjcmV0EjEKGQoFbG9naW4SABoEc2hvcCIAKgAyADgAQgASEgoIcGFzc3dvcmQSBnMzY3JldBoAGgAiAA=="
)
DEPLOYMENT = (
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErwBCiMKA3dlYhIAGgRzaG9wIgAqADIAOABCAFoKCgNhcHASA3dlYhKGAQgCEgwKCgoDYXBw"
    "EgN3ZWIabAocCgASABoAIgAqADIAOABCAFoKCgNhcHASA3dlYhJMEi4KBW5naW54EgVuZ2lueCoAMgoKABAAGFAiACoAQgBqAHIAgAEAiAEA"
    "kAEAogEAGgAyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBACICCgAoADgAGgwIABAAGAAgACgAOAAaACIA"
)
SERVICE = (
    "azhzAAoNCgJ2MRIHU2VydmljZRJwCiMKA3dlYhIAGgRzaG9wIgAqADIAOABCAFoKCgNhcHASA3dlYhJFCh4KBzgwLWh0dHASA1RDUBhQIgoI"
    "ARAAGgRodHRwKAASCgoDYXBwEgN3ZWIaACIJQ2x1c3RlcklQOgBCAFIAWgBgAGgAGgIKABoAIgA="
)
WEB = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}


# -- the other way: from objects to bytes, through the same messages -----------------------------------


def encode(kind, obj, version="", **envelope):
    message = message_class(kind.schema)()
    fill(message, messages().shapes[kind.schema], obj)
    return wrap(version or kind.api_version, kind.kind, message.SerializeToString(), **envelope)


def wrap(version, name, raw, **envelope):
    outer = messages().classes[ENVELOPE](raw=raw, **envelope)
    outer.typeMeta.apiVersion, outer.typeMeta.kind = version, name
    return MAGIC + outer.SerializeToString()


def fill(message, shape, obj):
    for slot in shape.slots:
        name = f"f{slot.number}"
        if slot.inline is not None:
            fill(getattr(message, name), slot.inline, obj)
        elif slot.name in obj:
            put(message, name, slot.field, obj[slot.name])


def put(message, name, field, value):
    if isinstance(field, fields.MapOf):
        entries = getattr(message, name)
        for key, item in value.items():
            if isinstance(field.inner, fields.ListOf):
                entries[key].f1.extend(item)
                continue
            if field.inner.children() is None and isinstance(field.inner, fields.String | fields.Bytes):
                entries[key] = plain(field.inner, item)
            elif isinstance(field.inner, fields.ListOf):
                entries[key].items.extend(item)
            else:
                compound(entries[key], field.inner, item)
    elif isinstance(field, fields.ListOf):
        for item in value:
            if isinstance(field.inner, fields.Struct) or type(field.inner) is fields.Anything:
                compound(getattr(message, name).add(), field.inner, item)
            else:
                getattr(message, name).append(plain(field.inner, item))
    elif isinstance(field, fields.String | fields.Boolean | fields.Int32 | fields.Bytes | fields.Double):
        setattr(message, name, plain(field, value))
    else:
        compound(getattr(message, name), field, value)


def plain(field, value):
    return base64.b64decode(value) if isinstance(field, fields.Bytes) else value


def compound(message, field, value):
    message.SetInParent()
    if isinstance(field, fields.Struct):
        fill(message, messages().shapes[field.schema], value)
    elif isinstance(field, fields.Time):
        since = datetime.fromisoformat(value) - EPOCH
        message.seconds = since.days * 86400 + since.seconds
        message.nanos = since.microseconds * 1000
    elif isinstance(field, fields.Quantity):
        message.string = value
    elif isinstance(field, fields.IntOrString):
        message.type = 1 if isinstance(value, str) else 0
        setattr(message, "strVal" if message.type else "intVal", value)
    elif isinstance(field, apiextensions_schema.SchemaOrBool):
        message.allows = value
    elif isinstance(field, apiextensions_schema.SchemaOrArray):
        for each in value:
            fill(message.schemas.add(), messages().shapes[apiextensions_schema.JSONSchemaProps], each)
    elif isinstance(field, apiextensions_schema.SchemaOrStrings):
        message.names.extend(value)
    else:
        message.raw = orjson.dumps(value)


@cache
def values_of(field, depth):
    """Values that a field can hold. Lists and maps have something in them: protobuf can't say that one is empty."""
    if isinstance(field, fields.Struct):
        return objects_of(field.schema, depth - 1)
    if isinstance(field, fields.ListOf):
        return st.lists(values_of(field.inner, depth), min_size=1, max_size=2)
    if isinstance(field, fields.MapOf):
        return st.dictionaries(TEXT, values_of(field.inner, depth), min_size=1, max_size=2)
    for kind, values in (
        (fields.Boolean, st.booleans()),
        (fields.Int64, st.integers(-(2**63), 2**63 - 1)),
        (fields.Int32, st.integers(-(2**31), 2**31 - 1)),
        (fields.IntOrString, st.integers(-(2**31), 2**31 - 1) | TEXT),
        (fields.Quantity, st.sampled_from(["1", "100m", "1Gi", "1.5", "-1", "0"])),
        (fields.MicroTime, st.sampled_from(["1960-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.250000Z"])),
        (
            fields.Time,
            st.sampled_from(["0001-01-01T00:00:01Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]),
        ),
        (fields.Bytes, st.binary(max_size=5).map(lambda data: base64.b64encode(data).decode())),
        (fields.Double, st.floats(allow_nan=False, allow_infinity=False)),
        (apiextensions_schema.Empty, st.just({})),
        (apiextensions_schema.SchemaOrBool, st.booleans()),
        (apiextensions_schema.SchemaOrArray, st.just([{"type": "string"}])),
        (apiextensions_schema.SchemaOrStrings, st.lists(TEXT, min_size=1, max_size=2)),
        (fields.Anything, JSON),
    ):
        if isinstance(field, kind):
            return values
    return TEXT


@cache
def objects_of(schema, depth):
    usable = {
        name: values_of(field, depth)
        for name, field in schema.fields_of().items()
        if depth > 0 or field.children() is None
    }
    return st.fixed_dictionaries({}, optional=usable)


def of_json(kind, obj):
    """What the ordinary decoder makes of an object; without the type, which a nested DeleteOptions loses."""
    return decode_json(kind, {**obj, "apiVersion": kind.api_version, "kind": kind.kind})


# -- the numbers ---------------------------------------------------------------------------------------


def named(shape):
    """The fields of a message as they are called in JSON."""
    names = set()
    for slot in shape.slots:
        names |= named(slot.inline) if slot.inline else {slot.name}
    return names


def inline_types(name, package):
    """The messages that stand inside another one without a name of their own in JSON."""
    for entry in tables()[name]:
        if entry.inline:
            inner = f"{package}.{entry.name}"
            yield inner
            yield from inline_types(inner, package)


def test_every_field_of_every_schema_has_a_number():
    for schema, shape in messages().shapes.items():
        names = named(shape)
        assert set(schema.fields_of()) - names in (set(), {"apiVersion", "kind"}), schema
        if "apiVersion" not in names and "apiVersion" in schema.fields_of():
            assert any(kind.schema is schema for kind in KINDS)


def test_no_number_and_no_name_is_used_twice():
    for name, entries in tables().items():
        assert len({entry.number for entry in entries}) == len(entries), name
        assert len({entry.name for entry in entries}) == len(entries), name
        assert all(entry.number > 0 for entry in entries), name


def test_the_tables_hold_no_type_that_is_not_used():
    used = {schema.openapi_name() for schema in messages().shapes}
    for schema in messages().shapes:
        used.update(inline_types(schema.openapi_name(), schema.package))
    assert set(tables()) == used


def test_every_kind_of_a_body_is_known():
    bodies = (kinds.SCALE, kinds.EVICTION, kinds.BINDING, kinds.DELETE_OPTIONS, kinds.TOKEN_REQUEST)
    assert set(KINDS) == {*kinds.ALL, *bodies}


# -- what kubectl sends --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "resource", "same"),
    [
        (NAMESPACE, "namespaces", {"metadata": {"name": "shop"}, "spec": {}, "status": {}}),
        (
            SECRET,
            "secrets",
            {"metadata": {"name": "login", "namespace": "shop"}, "data": {"password": "czNjcmV0"}},
        ),
        (
            DEPLOYMENT,
            "deployments.apps",
            {
                "metadata": WEB,
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": "web"}},
                    "strategy": {},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {
                            "containers": [
                                {
                                    "name": "nginx",
                                    "image": "nginx",
                                    "ports": [{"containerPort": 80}],
                                    "resources": {},
                                }
                            ]
                        },
                    },
                },
                "status": {"replicas": 0},
            },
        ),
        (
            SERVICE,
            "services",
            {
                "metadata": WEB,
                "spec": {
                    "ports": [{"name": "80-http", "protocol": "TCP", "port": 80, "targetPort": "http"}],
                    "selector": {"app": "web"},
                    "type": "ClusterIP",
                },
                "status": {"loadBalancer": {}},
            },
        ),
    ],
    ids=["namespace", "secret", "deployment", "service"],
)
def test_what_kubectl_sends_is_what_it_would_say_in_json(sent, resource, same):
    kind = kinds.by_resource(resource)
    got, unknown = decode_json(kind, decode(base64.b64decode(sent), kind.kind))
    assert unknown == []
    assert got == of_json(kind, same)[0]


# -- what holds for every object -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@QUIET
@given(data=st.data())
def test_every_object_comes_through_as_it_was(kind, data):
    obj, unknown = of_json(kind, data.draw(objects_of(kind.schema, 4)))
    assert unknown == []
    # Only the envelope says what an object is, so one inside another doesn't.
    inside = [obj.get("deleteOptions", {})] if kind is kinds.EVICTION else []
    if kind.kind == "StatefulSet":
        inside += obj.get("spec", {}).get("volumeClaimTemplates", [])
    for each in inside:
        for name in ("apiVersion", "kind"):
            each.pop(name, None)

    raw = decode(encode(kind, obj), kind.kind)
    assert decode_json(kind, raw) == (obj, [])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@QUIET
@given(data=st.data())
def test_garbage_is_refused_as_a_bad_request_and_nothing_else(kind, data):
    whole = bytearray(encode(kind, of_json(kind, data.draw(objects_of(kind.schema, 3)))[0]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    start = wrap(kind.api_version, kind.kind, data.draw(st.binary(max_size=60)))
    for body in (
        bytes(whole),
        start,
        MAGIC + data.draw(st.binary(max_size=60)),
        data.draw(st.binary(max_size=20)),
    ):
        with contextlib.suppress(ApiError):
            decode_json(kind, decode(body, kind.kind))


# -- what differs from JSON ----------------------------------------------------------------------------

CONFIG = kinds.by_resource("configmaps")


def raw_config(raw):
    return decode(wrap("v1", "ConfigMap", raw), "ConfigMap")


def test_fields_of_a_newer_client_are_passed_over():
    obj = {"metadata": {"name": "a"}, "data": {"x": "y"}}
    message = message_class(CONFIG.schema)()
    fill(message, messages().shapes[CONFIG.schema], obj)
    newer = message.SerializeToString() + b"\xfa\x7f\x03new" + b"\xf0\x7f\x05"
    assert raw_config(newer) == {"apiVersion": "v1", "kind": "ConfigMap", **obj}


def test_an_empty_time_is_none_and_zero_seconds_are_1970():
    assert raw_config(b"\x0a\x02\x42\x00")["metadata"] == {"creationTimestamp": None}
    assert raw_config(b"\x0a\x04\x42\x02\x08\x00")["metadata"] == {
        "creationTimestamp": "1970-01-01T00:00:00Z"
    }


def test_a_zero_that_was_sent_is_told_from_one_that_was_not():
    deployment = kinds.by_resource("deployments.apps")
    sent = decode(encode(deployment, {"spec": {"replicas": 0}}), "Deployment")
    assert decode_json(deployment, sent)[0]["spec"]["replicas"] == 0
    absent = decode(encode(deployment, {"spec": {}}), "Deployment")
    assert "replicas" not in absent["spec"]


def test_numbers_may_come_packed_or_one_by_one():
    one_by_one, packed = b"\x20\x05\x20\x06", b"\x22\x02\x05\x06"
    for groups in (one_by_one, packed):
        security = b"\x72" + bytes([len(groups)]) + groups
        raw = b"\x12" + bytes([len(security)]) + security
        assert decode(wrap("v1", "Pod", raw), "Pod")["spec"]["securityContext"] == {
            "supplementalGroups": [5, 6]
        }


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x0a\x03\x0a\x01\xff", "(?i)utf-8"),
        (b"\x12\x03\x0a\x01\xff", "(?i)utf-8"),
        (b"\x0a\x05\x0a\x10web", "the message is malformed"),
        (b"\x0a\x0c\x42\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "years 1 to 9999"),
        (b"\x0a\x0a\x42\x08\x08\xff\xff\xff\xff\xff\xff\x7f", "years 1 to 9999"),
        (b"\x0a\x08\x8a\x01\x05\x3a\x03\x0a\x01{", "unexpected end of data"),
    ],
)
def test_what_can_not_be_said_in_json_is_refused(raw, why):
    with pytest.raises(BadRequest, match=why) as refused:
        raw_config(raw)
    assert refused.value.message.startswith('ConfigMap in version "v1" cannot be handled as a ConfigMap: ')


def test_raw_json_may_not_nest_without_end():
    deep = b"[" * 200 + b"]" * 200
    entry = message_class(CONFIG.schema)()
    entry.f1.f17.add().f7.raw = deep
    with pytest.raises(BadRequest, match="nested deeper than 100"):
        raw_config(entry.SerializeToString())


def test_bodies_without_the_magic_prefix_or_a_kind_are_refused():
    for body, why in (
        (b"", "empty data"),
        (b"{}", r"expected prefix \[107 56 115 0\]"),
        (MAGIC, "Object 'Kind' is missing"),
        (wrap("", "ConfigMap", b""), "Object 'apiVersion' is missing"),
        (encode(CONFIG, {}, contentEncoding="gzip"), "content 'gzip' inside protobuf"),
        (encode(CONFIG, {}, contentType="application/json"), "content 'application/json' inside protobuf"),
    ):
        with pytest.raises(BadRequest, match=why) as refused:
            decode(body, "ConfigMap")
        assert "(must be of type ConfigMap)" in refused.value.message


def test_a_kind_that_nobody_knows_is_refused_and_another_version_is_left_to_the_caller():
    with pytest.raises(BadRequest, match='no kind "Gadget" is registered for version "toys/v1"'):
        decode(wrap("toys/v1", "Gadget", b""), "ConfigMap")
    other = decode(encode(CONFIG, {"data": {"a": "b"}}, version="v2"), "ConfigMap")
    assert other == {"apiVersion": "v2", "kind": "ConfigMap", "data": {"a": "b"}}


@pytest.mark.parametrize("version", ["v1", "apps/v1", "meta.k8s.io/v1"])
def test_delete_options_belong_to_every_group(version):
    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}, "dryRun": ["All"]}
    got = decode(encode(kinds.DELETE_OPTIONS, options, version), "DeleteOptions")
    assert got == {"apiVersion": version, "kind": "DeleteOptions", **options}
