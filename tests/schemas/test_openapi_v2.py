"""OpenAPI v2: that the document is whole, and that its bytes are what a reader of gnostic's messages expects."""

from __future__ import annotations

import re

import orjson
import pytest

from app.schemas import kinds
from app.schemas.openapi_v2 import v2
from app.schemas.protobuf.openapi import encode

VALIDATED = {"fieldValidation", "fieldManager", "dryRun", "force"}


def parts(message):
    """The fields of a message on the wire: number -> values. Read without any descriptor, as they were sent."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        value = varint()
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        found.setdefault(tag >> 3, []).append(value)
    return found


def only(message, *numbers):
    """What is found along single fields."""
    for number in numbers:
        (message,) = parts(message)[number]
    return message


def named(message, number):
    """The pairs of a name and a value that stand for a map."""
    return {only(pair, 1).decode(): only(pair, 2) for pair in parts(message).get(number, [])}


def extensions(message, number):
    return {name: orjson.loads(only(value, 2)) for name, value in named(message, number).items()}


@pytest.fixture(scope="module")
def sent():
    return encode(v2())


@pytest.fixture(scope="module")
def definitions(sent):
    return named(only(sent, 9), 1)


def properties(definition):
    return named(only(definition, 25), 1)


def test_a_document_refers_only_to_what_is_in_it():
    document = v2()
    text = orjson.dumps(document).decode()

    assert set(re.findall(r'"#/definitions/([^"]+)"', text)) <= set(document["definitions"])
    assert text.count('"$ref":"') == text.count('"#/definitions/')
    # Fields of schemas are called so too.
    assert '"oneOf":[' not in text
    assert '"allOf":[' not in text


def test_the_document_says_what_it_is(sent):
    assert only(sent, 1) == b"2.0"
    assert only(sent, 2, 1) == b"Beanpole"


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.kind)
def test_every_kind_is_found_by_group_version_and_kind(definitions, kind):
    assert extensions(definitions[kind.schema.openapi_name()], 31)["x-kubernetes-group-version-kind"] == [
        {"group": kind.group, "kind": kind.kind, "version": kind.version}
    ]


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds.ALL if "patch" in kind.verbs], ids=lambda kind: kind.kind
)
def test_every_kind_can_be_patched_with_field_validation(sent, kind):
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    place = "/namespaces/{namespace}" if kind.namespaced else ""
    patch = only(named(only(sent, 8), 2)[f"{root}{place}/{kind.plural}/{{name}}"], 8)
    inputs = [parts(only(each, 1)) for each in parts(patch)[8]]
    asked = {only(each[2][0], 3, 4).decode() for each in inputs if 2 in each}

    assert asked >= VALIDATED
    assert [only(each[1][0], 3) for each in inputs if 1 in each] == [b"body"]
    assert b"application/strategic-merge-patch+json" in parts(patch)[7]
    assert extensions(patch, 13)["x-kubernetes-group-version-kind"] == {
        "group": kind.group,
        "kind": kind.kind,
        "version": kind.version,
    }


def test_fields_have_their_types(definitions):
    spec = definitions["io.k8s.api.apps.v1.DeploymentSpec"]
    replicas = properties(spec)["replicas"]
    assert parts(spec)[19] == [b"selector", b"template"]
    assert (only(replicas, 22, 1), only(replicas, 2)) == (b"integer", b"int32")
    assert only(properties(spec)["template"], 1) == b"#/definitions/io.k8s.api.core.v1.PodTemplateSpec"

    containers = properties(definitions["io.k8s.api.core.v1.PodSpec"])["containers"]
    assert only(containers, 22, 1) == b"array"
    assert only(containers, 23, 1, 1) == b"#/definitions/io.k8s.api.core.v1.Container"
    assert extensions(containers, 31)["x-kubernetes-patch-merge-key"] == "name"

    data = properties(definitions["io.k8s.api.core.v1.ConfigMap"])["data"]
    assert only(data, 21, 1, 22, 1) == b"string"
    scheme = properties(definitions["io.k8s.api.core.v1.HTTPGetAction"])["scheme"]
    assert [only(each, 2) for each in parts(scheme)[20]] == [b'"HTTP"', b'"HTTPS"']


def test_a_value_of_several_types_is_a_string_that_numbers_pass_for(definitions):
    either = definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]

    assert (only(either, 22, 1), only(either, 2)) == (b"string", b"int-or-string")
    assert only(definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"], 22, 1) == b"string"


def test_the_same_document_has_the_same_bytes(sent):
    assert encode(v2()) == sent


def test_what_has_no_field_is_not_dropped_in_silence():
    document = v2()
    document["definitions"]["Odd"] = {"type": "string", "neverHeardOf": 1}

    with pytest.raises(ValueError, match="neverHeardOf"):
        encode(document)
