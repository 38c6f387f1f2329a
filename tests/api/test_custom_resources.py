"""Custom resources over HTTP: discovery, OpenAPI, tables, watches."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.schemas.custom.naming import accepted
from tests.definitions import CRONTABS, DEFINITIONS, crontab, definition, version
from tests.registry.admission.webhook_server import WebhookServer

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ALL = "/apis/example.com/v1/namespaces/default/crontabs"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
COLUMNS = [
    {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec", "description": "When."},
    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
    {"name": "Heavy", "type": "string", "jsonPath": '.spec.parts[?(@.name=="b")].weight'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
QUIET = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.sampled_from(["a", "b", "spec", "type", "metadata"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=4)
    | st.floats(allow_nan=False, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
RULES = st.sampled_from(
    ["self == oldSelf", "self.a > 1", "self.size() > 1", "has(self.b)", "true", "1 / 0 == 1", "self"]
)
# What may stand in a schema, whether it makes sense there or not.
MORE = {
    "nullable": st.booleans(),
    "default": JSON,
    "enum": st.lists(JSON, min_size=1, max_size=2),
    "minimum": st.integers(-2, 2),
    "maxLength": st.integers(0, 3),
    "pattern": st.sampled_from(["^a+$", "(", "[0-9]"]),
    "format": st.sampled_from(["date-time", "byte", "int32", "duration"]),
    "x-kubernetes-validations": st.lists(st.fixed_dictionaries({"rule": RULES}), min_size=1, max_size=2),
    "x-kubernetes-preserve-unknown-fields": st.just(True),
    "x-kubernetes-embedded-resource": st.booleans(),
    "x-kubernetes-list-type": st.sampled_from(["atomic", "set", "map"]),
    "x-kubernetes-list-map-keys": st.just(["a"]),
    "anyOf": st.just([{"required": ["a"]}, {"minimum": 0}]),
    "required": st.just(["a"]),
}
SCALARS = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer", "number", "boolean"])}, optional=MORE
)
SCHEMAS = st.recursive(
    SCALARS | st.just({"x-kubernetes-int-or-string": True}),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
            optional=MORE,
        )
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional=MORE)
        | st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
    ),
    max_leaves=6,
)


@pytest.fixture
def define(api):
    """Makes a definition, established."""

    def make(given):
        made = api.create(PATH, given)
        told = accepted(made, [], 1_800_000_000.0)
        answer = api.ask("PUT", f"{PATH}/{made['metadata']['name']}/status", told)
        assert answer.status_code == 200, answer.text
        return answer.json

    return make


def test_a_definition_that_is_not_established_is_not_served(api):
    api.create(PATH, definition())

    assert api.ask("GET", ALL).status_code == 404


def test_a_kind_is_in_every_document_at_once(api, define):
    before = api.get("/openapi/v3")["paths"]
    assert "apis/example.com/v1" not in before

    define(definition())

    assert "example.com" in [group["name"] for group in api.get("/apis")["groups"]]
    listed = api.get("/apis/example.com/v1")["resources"]
    assert [each["name"] for each in listed] == ["crontabs", "crontabs/scale", "crontabs/status"]
    assert (listed[0]["shortNames"], listed[0]["categories"]) == (["ct"], ["all"])
    groups = api.get("/apis", Accept=AGGREGATED)["items"]
    assert "example.com" in [group["metadata"]["name"] for group in groups]
    path = api.get("/openapi/v3")["paths"]["apis/example.com/v1"]["serverRelativeURL"]
    document = api.get(path)
    schema = document["components"]["schemas"]["com.example.v1.CronTab"]
    assert schema["properties"]["spec"]["properties"]["image"] == {"type": "string", "default": "busybox"}
    patch = document["paths"][f"{ALL.replace('default', '{namespace}')}/{{name}}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]
    assert b"com.example.v1.CronTab" in api.ask("GET", "/openapi/v2", Accept=V2).data


def test_the_preferred_version_is_the_most_stable_and_newest(api, define):
    names = ("v1beta1", "v1", "v2alpha1", "v2", "foo")
    define(definition(*(version(name, storage=name == "v1") for name in names)))

    group = api.get("/apis/example.com")

    assert [each["version"] for each in group["versions"]] == ["v2", "v1", "v1beta1", "v2alpha1", "foo"]
    assert group["preferredVersion"]["version"] == "v2"


def test_a_table_has_the_columns_of_the_definition(api, define):
    define(definition(version(additionalPrinterColumns=COLUMNS)))
    api.create(ALL, crontab(parts=[{"name": "a"}, {"name": "b", "weight": 7}]))

    table = api.get(ALL, Accept=TABLE)

    assert [(c["name"], c["priority"]) for c in table["columnDefinitions"]] == [
        ("Name", 0), ("Spec", 0), ("Replicas", 1), ("Heavy", 0), ("Age", 0),
    ]  # fmt: skip
    assert table["rows"][0]["cells"][:4] == ["a", "* * * * *", 1, "7"]


def test_a_list_calls_itself_as_the_definition_says(api, define):
    given = definition()
    given["spec"]["names"]["listKind"] = "ManyCronTabs"
    define(given)

    assert api.get(ALL)["kind"] == "ManyCronTabs"


def test_a_field_that_the_definition_names_can_be_selected_by(api, define):
    define(definition(version(selectableFields=[{"jsonPath": ".spec.mode"}])))
    api.create(ALL, crontab("a", mode="a"))
    api.create(ALL, crontab("b", mode="b"))

    found = api.get(f"{ALL}?fieldSelector=spec.mode=b")["items"]

    assert [each["metadata"]["name"] for each in found] == ["b"]
    refused = api.ask("GET", f"{ALL}?fieldSelector=spec.image=x")
    assert (refused.status_code, refused.json["message"]) == (400, "field label not supported: spec.image")


def test_a_deprecated_version_answers_with_a_warning(api, define):
    define(definition(version(deprecated=True, deprecationWarning="use v2")))

    assert api.ask("GET", ALL).headers["Warning"] == '299 - "use v2"'


def test_a_watch_shows_objects_in_the_version_that_it_asked_for(api, define):
    define(definition(version(), version("v2", storage=False)))
    events = api.watch(f"{ALL.replace('v1', 'v2')}?watch=true")
    api.create(ALL, crontab("a"))

    event = events.next()

    assert (event["type"], event["object"]["apiVersion"]) == ("ADDED", "example.com/v2")
    events.close()


def converted(request):
    made = [{**each, "apiVersion": request["desiredAPIVersion"]} for each in request["objects"]]
    response = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": made}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "response": response}


def failed(request):
    response = {"uid": request["uid"], "result": {"status": "Failure", "message": "out of order"}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "response": response}


def test_a_watch_asks_the_webhook_and_ends_when_that_fails(api, define, tmp_path):
    server = WebhookServer(tmp_path, ["127.0.0.1"])
    server.answers["/convert"] = converted
    client = {"url": server.url("/convert"), "caBundle": server.ca_bundle}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": client}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    try:
        define(definition(version(), version("v2", storage=False), conversion=conversion))
        api.create(ALL, crontab("a"))
        events = api.watch(f"{ALL.replace('v1', 'v2')}?watch=true")
        first = events.next()
        api.create(ALL, crontab("b"))
        second = events.next()
        server.answers["/convert"] = failed
        api.create(ALL, crontab("c"))
        last = events.next()

        assert [e["object"]["apiVersion"] for e in (first, second)] == ["example.com/v2"] * 2
        assert last["type"] == "ERROR"
        assert "out of order" in last["object"]["message"]
        assert events.rest() == []
    finally:
        server.stop()


def test_a_watch_ends_when_the_definition_changes(api, define):
    define(definition())
    events = api.watch(f"{ALL}?watch=true")
    changed = api.get(f"{PATH}/{CRONTABS}")
    changed["spec"]["versions"][0]["deprecated"] = True

    assert api.ask("PUT", f"{PATH}/{CRONTABS}", changed).status_code == 200

    assert events.rest() == []


def test_server_side_apply_merges_lists_by_the_keys_of_the_definition(api, define):
    define(definition())

    def apply(manager, *parts, **spec):
        body = {"apiVersion": "example.com/v1", "kind": "CronTab", **crontab(parts=list(parts), **spec)}
        answer = api.ask(
            "PATCH", f"{ALL}/a?fieldManager={manager}", body, Content_Type="application/apply-patch+yaml"
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    apply("one", {"name": "a", "weight": 1})
    both = apply("two", {"name": "b", "weight": 2})

    assert both["spec"]["parts"] == [{"name": "a", "weight": 1}, {"name": "b", "weight": 2}]


@QUIET
@given(schema=SCHEMAS, spec=JSON)
def test_any_definition_and_any_object_is_taken_or_refused_and_nothing_else(api, schema, spec):
    odd = definition(version(schema={"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}}))
    answer = api.ask("POST", PATH, odd)
    assert answer.status_code in (201, 400, 422), answer.text
    if answer.status_code != 201:
        return
    try:
        told = accepted(answer.json, [], 1_800_000_000.0)
        assert api.ask("PUT", f"{PATH}/{CRONTABS}/status", told).status_code == 200
        made = api.ask("POST", ALL, {"metadata": {"name": "a"}, "spec": spec})
        assert made.status_code in (201, 400, 422), made.text
    finally:
        api.ask("DELETE", f"{ALL}/a")
        api.ask("DELETE", f"{PATH}/{CRONTABS}")
        left = api.get(f"{PATH}/{CRONTABS}")
        left["metadata"]["finalizers"] = []
        assert api.ask("PUT", f"{PATH}/{CRONTABS}", left).status_code == 200
        assert api.store.get(DEFINITIONS, CRONTABS) is None
