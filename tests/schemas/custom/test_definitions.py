"""What a CustomResourceDefinition must fulfil."""

from __future__ import annotations

import copy

import pytest

from app.base.errors import Invalid
from app.schemas import defaults, kinds
from app.schemas.decode import decode
from app.schemas.validate import validate, validate_update
from tests.definitions import DEFINITIONS, definition, version, with_schema

KIND = kinds.by_resource(DEFINITIONS)
AT = "spec.versions[0].schema.openAPIV3Schema"
FIELD = f"{AT}.properties[spec].properties[a]"


def completed(given):
    obj, unknown = decode(KIND, given)
    assert unknown == []
    return defaults.apply(KIND, obj)


def causes(given):
    try:
        validate(KIND, completed(given))
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


def changed(given, **spec):
    return {**given, "spec": {**given["spec"], **spec}}


def test_an_ordinary_definition_is_accepted_and_completed():
    full = completed(definition())

    assert causes(definition()) == []
    assert full["spec"]["names"]["listKind"] == "CronTabList"
    assert full["spec"]["names"]["singular"] == "crontab"
    assert full["spec"]["conversion"] == {"strategy": "None"}


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (
            {**definition(), "metadata": {"name": "x"}},
            'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
        ),
        (
            definition(scope="Galaxy"),
            'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"',
        ),
        (
            definition(version(storage=False)),
            'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
        ),
        (
            definition(version(), version(storage=False)),
            'spec.versions: Invalid value: ["v1","v1"]: must contain unique version names',
        ),
        (
            definition(conversion={"strategy": "Webhook"}),
            "spec.conversion.webhook.clientConfig: Required value: required when strategy is set to Webhook",
        ),
        (
            definition(version(deprecationWarning="old")),
            'spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions',
        ),
        (definition(version(schema=None)), f"{AT}: Required value: schemas are required"),
        (
            definition(version(schema={"openAPIV3Schema": {"type": "array", "items": {"type": "string"}}})),
            f'{AT}.type: Invalid value: "array": must be object at the root',
        ),
        (
            definition(
                version(subresources={"scale": {"specReplicasPath": ".x", "statusReplicasPath": ".status.x"}})
            ),
            'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".x": '
            "should be a json path under .spec",
        ),
        (
            definition(
                version(additionalPrinterColumns=[{"name": "A", "type": "text", "jsonPath": ".spec"}])
            ),
            'spec.versions[0].additionalPrinterColumns[0].type: Unsupported value: "text": supported values: '
            '"boolean", "date", "integer", "number", "string"',
        ),
    ],
)
def test_what_is_wrong_with_a_definition_is_told(given, cause):
    assert cause in causes(given)


@pytest.mark.parametrize(
    ("schema", "cause"),
    [
        ({}, f"{FIELD}.type: Required value: must not be empty for specified object fields"),
        ({"type": "null"}, f"{FIELD}.type: Forbidden: type cannot be set to null, use nullable as an alternative"),
        ({"type": "array"}, f"{FIELD}.items: Required value: must be specified"),
        (
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            f"{FIELD}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity "
            "becomes quadratic",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string"}, "properties": {"b": {"type": "string"}}},
            f"{FIELD}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        ({"type": "object", "$ref": "#/x"}, f"{FIELD}.$ref: Forbidden: $ref is not supported"),
        (
            {"type": "object", "anyOf": [{"properties": {"b": {"minimum": 1}}}]},
            f"{FIELD}.properties[b]: Required value: because it is defined in {FIELD}.anyOf[0].properties[b]",
        ),
        (
            {"type": "string", "anyOf": [{"type": "string"}]},
            f"{FIELD}.anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
            f"{FIELD}.x-kubernetes-list-map-keys: Required value: must not be empty if "
            "x-kubernetes-list-type is map",
        ),
        (
            {"type": "integer", "default": "x"},
            f'{FIELD}.default: Invalid value: "string": {FIELD}.default in body must be of type integer: "string"',
        ),
        ({"type": "string", "pattern": "("}, f'{FIELD}.pattern: Invalid value: "(": must be a valid regular'),
        (
            {"type": "string", "x-kubernetes-validations": [{"rule": "nobody(self)"}]},
            f"{FIELD}.x-kubernetes-validations[0].rule: Invalid value: \"nobody(self)\": compilation failed: ",
        ),
        (
            {"type": "string", "x-kubernetes-validations": [{"rule": "self.size()"}]},
            f'{FIELD}.x-kubernetes-validations[0].rule: Invalid value: "self.size()": must evaluate to bool',
        ),
        (
            {"type": "string", "x-kubernetes-validations": [{"rule": "self == 1"}]},
            f'{FIELD}.x-kubernetes-validations[0].rule: Invalid value: "self == 1": compilation failed: ERROR',
        ),
    ],
)  # fmt: skip
def test_a_schema_that_is_not_structural_is_refused(schema, cause):
    found = causes(with_schema({"a": schema}))

    assert any(each.startswith(cause) for each in found), found


def test_a_group_of_the_community_needs_its_approval():
    given = definition(group="x.k8s.io")
    given["metadata"]["name"] = "crontabs.x.k8s.io"
    asked = causes(given)
    given["metadata"]["annotations"] = {"api-approved.kubernetes.io": "https://example.com/1"}

    assert asked[0].startswith("metadata.annotations[api-approved.kubernetes.io]: Required value")
    assert causes(given) == []


def test_group_scope_and_names_stay_as_they_are():
    old = completed(definition())
    old["status"] = {"storedVersions": ["v1"]}
    new = copy.deepcopy(old)
    new["spec"]["scope"] = "Cluster"
    new["spec"]["names"]["kind"] = "Other"

    with pytest.raises(Invalid) as refused:
        validate_update(KIND, old, new)

    assert {cause.field for cause in refused.value.causes} == {"spec.scope", "spec.names.kind"}


def test_a_version_in_which_objects_may_lie_can_not_be_taken_away():
    old = completed(definition(version("v1"), version("v2", storage=False)))
    old["status"] = {"storedVersions": ["v1", "v2"]}
    new = changed(old, versions=old["spec"]["versions"][:1])

    with pytest.raises(Invalid, match="must remain in"):
        validate_update(KIND, old, new)
