"""Bodies: examples with something changed, in every form in which they may be sent, whole or broken."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import yaml
from hypothesis import strategies as st

from app.schemas.kind import Kind
from tests.fuzz import examples
from tests.fuzz.places import META, TYPE, field_at, places, put, without
from tests.fuzz.values import VALUES
from tests.schemas.test_properties import values_of
from tests.schemas.test_protobuf import encode

Object = dict[str, Any]
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
NAMES = ("", "made", "a", "b", "seed", "default", "made.example.com", "A", "a/b", "a" * 254, "é")
_FORMS = ("plain",) * 12 + (
    "yaml", "yaml", "protobuf", "protobuf", "cut", "flipped", "cut protobuf", "flipped protobuf", "twice", "long", "utf16", "bom",
    "list", "empty", "garbage", "type", "cut yaml",
)  # fmt: skip
_EDITS = ("place",) * 6 + ("typed",) * 6 + ("drop", "drop", "meta", "meta", "type", "name", "name")
_TYPES = (
    "text/plain", "application/octet-stream", "application/json; charset=utf-16", "application/JSON", "application/json;;=;", "*/*",
    "", "application/x-yaml", "application/cbor", "multipart/form-data; boundary=a", "application/apply-patch+yaml", ";", "a" * 500,
)  # fmt: skip
edits_of = st.sampled_from(_EDITS)
_counts = st.sampled_from((0, 0, 1, 1, 1, 2, 3))
_forms = st.sampled_from(_FORMS)
_meta, _type = st.sampled_from(META), st.sampled_from(TYPE)
_names = st.sampled_from(NAMES)
_types = st.sampled_from(_TYPES)
_where, _bytes, _garbage = st.integers(0, 10_000), st.integers(0, 255), st.binary(max_size=40)
_places: dict[Kind, st.SearchStrategy[Any]] = {}


def places_of(kind: Kind) -> st.SearchStrategy[Any]:
    """A place in objects of this kind."""
    if kind not in _places:
        _places[kind] = st.sampled_from(places(kind))
    return _places[kind]


def edited(draw: st.DrawFn, kind: Kind, obj: Object) -> Any:
    """The object after a few changes, of which it may stand some."""
    for _ in range(draw(_counts)):
        edit = draw(edits_of)
        if edit == "name":
            obj = put(obj, ("metadata", "name"), draw(_names))
            continue
        place = draw(_meta if edit == "meta" else _type if edit == "type" else places_of(kind))
        if edit == "drop":
            obj = without(obj, place)
            continue
        field = field_at(kind, place) if edit == "typed" else None
        obj = put(obj, place, draw(VALUES if field is None else values_of(field, 1)))
    return obj


def encoded(draw: st.DrawFn, kind: Kind, obj: Any) -> tuple[bytes, str]:
    """The object as bytes, perhaps spoiled, with the media type that they are sent as."""
    form = draw(_forms)
    text = json.dumps(obj).encode()
    if form == "plain":
        return text, JSON
    if "protobuf" in form:
        with contextlib.suppress(Exception):  # what protobuf can't say is sent as JSON, under its name
            text = encode(kind, obj)
        return spoiled(draw, form, text), PROTOBUF
    if "yaml" in form:
        with contextlib.suppress(Exception):  # nor can YAML say everything
            text = yaml.safe_dump(json.loads(text), allow_unicode=True).encode("utf-8", "surrogatepass")
        return spoiled(draw, form, text), YAML
    if form == "type":
        return text, draw(_types)
    return spoiled(draw, form, text), JSON


def spoiled(draw: st.DrawFn, form: str, data: bytes) -> bytes:
    """The bytes, damaged as `form` says."""
    if form.startswith("cut"):
        return data[: draw(_where) % (len(data) + 1)]
    if form.startswith("flipped") and data:
        at = draw(_where) % len(data)
        return data[:at] + bytes((draw(_bytes),)) + data[at + 1 :]
    if form == "twice":
        return data[:-1] + b', "metadata": {"name": "twice"}, "spec": 1, "spec": {}}'
    if form == "long":
        return data[:-1] + b', "x": "' + b"x" * 100_000 + b'"}'
    if form == "utf16":
        return data.decode("utf-8", "replace").encode("utf-16")
    if form == "bom":
        return b"\xef\xbb\xbf" + data
    if form == "list":
        return b"[" + data + b"]"
    if form == "garbage":
        return draw(_garbage)
    return b"" if form == "empty" else data


def object_for(kind: Kind, subresource: str, name: str) -> Object:
    """What is valid to send there."""
    if subresource in examples.BELOW:
        return examples.BELOW[subresource] | {"metadata": {"name": name, "namespace": examples.DEFAULT}}
    return examples.example(kind, name)
