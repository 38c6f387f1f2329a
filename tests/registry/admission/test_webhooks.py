"""Admission webhooks: real servers on the loopback, over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.base.errors import ApiError
from app.registry.admission import of_connect
from app.schemas import kinds
from tests.registry.admission.webhook_server import WebhookServer, denying, patching, review

MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"
ANY = [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["configmaps"]}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebhookServer]:
    started = WebhookServer(tmp_path, ["127.0.0.1", "hook.default.svc"])
    yield started
    started.stop()


def hook(server: WebhookServer, path: str = "/v", **more: Any) -> dict[str, Any]:
    return {
        "name": f"{path.strip('/')}.example.com",
        "clientConfig": {"url": server.url(path), "caBundle": server.ca_bundle},
        "rules": ANY,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **more,
    }


def configure(world: Any, resource: str, *hooks: dict[str, Any], name: str = "hooks") -> None:
    world.create(resource, {"metadata": {"name": name}, "webhooks": list(hooks)})
    world.registry.view.catch_up()


def add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def test_one_is_told_of_the_request_and_may_refuse_it(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying("no such thing", 403, "Forbidden")
    configure(world, VALIDATING, hook(server))
    with pytest.raises(ApiError) as refused:
        world.create("configmaps", make.config_map("a", x="1"))
    assert refused.value.message == 'admission webhook "v.example.com" denied the request: no such thing'
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert world.get("configmaps", "default/a") is None
    (asked,) = server.asked["/v"]
    assert asked["operation"] == "CREATE"
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert asked["kind"] == asked["requestKind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert (asked["namespace"], asked["name"], asked["dryRun"]) == ("default", "a", False)
    assert asked["object"]["data"] == {"x": "1"}
    assert asked["oldObject"] is None
    assert asked["userInfo"]["username"] == "alice"


def test_a_refusal_needs_no_explanation(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying()
    configure(world, VALIDATING, hook(server))
    with pytest.raises(ApiError) as refused:
        world.create("configmaps", make.config_map())
    assert refused.value.message == 'admission webhook "v.example.com" denied the request without explanation'
    assert refused.value.code == 400


def test_one_may_change_the_object_and_what_it_leaves_out_is_defaulted(
    world: Any, make: Any, server: WebhookServer
) -> None:
    sidecar = {"name": "side", "image": "side:1"}
    server.answers["/m"] = patching(
        add("/spec/containers/-", sidecar), add("/metadata/labels/injected", "yes")
    )
    rules = [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]
    configure(world, MUTATING, hook(server, "/m", rules=rules))
    pod = world.create("pods", make.pod())
    assert [c["name"] for c in pod["spec"]["containers"]] == ["web", "side"]
    assert pod["spec"]["containers"][1]["imagePullPolicy"] == "IfNotPresent"
    assert pod["metadata"]["labels"]["injected"] == "yes"


def test_an_update_and_a_delete_are_told_with_the_object_as_it_was(
    world: Any, make: Any, server: WebhookServer
) -> None:
    server.answers["/v"] = review
    configure(world, VALIDATING, hook(server))
    world.create("configmaps", make.config_map("a", x="1"))
    world.patch("configmaps", "a", {"data": {"x": "2"}})
    world.delete("configmaps", "a")
    created, updated, deleted = server.asked["/v"]
    assert [each["operation"] for each in (created, updated, deleted)] == ["CREATE", "UPDATE", "DELETE"]
    assert (updated["oldObject"]["data"], updated["object"]["data"]) == ({"x": "1"}, {"x": "2"})
    assert deleted["object"] is None
    assert deleted["oldObject"]["data"] == {"x": "2"}
    assert deleted["options"]["kind"] == "DeleteOptions"


def test_a_delete_that_is_refused_does_not_happen(world: Any, make: Any, server: WebhookServer) -> None:
    world.create("configmaps", make.config_map("a"))
    server.answers["/v"] = denying("keep it")
    configure(world, VALIDATING, hook(server))
    with pytest.raises(ApiError, match="keep it"):
        world.delete("configmaps", "a")
    assert world.get("configmaps", "default/a") is not None


def test_rules_and_selectors_choose(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying("no")
    labelled = {"matchLabels": {"kubernetes.io/metadata.name": "default"}}
    configure(
        world,
        VALIDATING,
        hook(server, namespaceSelector=labelled, objectSelector={"matchLabels": {"strict": "yes"}}),
    )
    world.create("namespaces", {"metadata": {"name": "other"}})
    strict = {"metadata": {"name": "a", "labels": {"strict": "yes"}}}
    assert world.create("configmaps", make.config_map("b"))
    assert world.create("configmaps", strict, "other")
    assert world.create("secrets", strict)
    with pytest.raises(ApiError, match="denied"):
        world.create("configmaps", strict)


def test_a_subresource_is_matched_by_its_own_rule(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying("no")
    rules = [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/status"]}]
    configure(world, VALIDATING, hook(server, rules=rules))
    world.create("pods", make.pod())
    with pytest.raises(ApiError, match="denied"):
        world.patch("pods", "p", {"status": {"phase": "Running"}}, subresource="status")


def test_a_connection_can_be_refused(world: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying("not into this one")
    rules = [
        {"operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/exec"]}
    ]
    configure(world, VALIDATING, hook(server, rules=rules))
    pods = kinds.by_resource("pods")
    with pytest.raises(ApiError, match="not into this one"):
        of_connect(world.registry, world.request(), pods, "default", "p", "exec", {"kind": "PodExecOptions"})
    (asked,) = server.asked["/v"]
    assert (asked["operation"], asked["subResource"], asked["object"]) == (
        "CONNECT",
        "exec",
        {"kind": "PodExecOptions"},
    )


def test_an_eviction_is_shown_as_what_it_is(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying("stay")
    rules = [
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/eviction"]}
    ]
    configure(world, VALIDATING, hook(server, rules=rules))
    world.create("pods", make.pod())
    with pytest.raises(ApiError, match="stay"):
        world.registry.evict(world.request(), "default", "p", {"metadata": {"name": "p"}})
    (asked,) = server.asked["/v"]
    assert (asked["kind"]["kind"], asked["subResource"]) == ("Eviction", "eviction")
    assert world.get("pods", "default/p") is not None


def test_one_that_does_not_answer_in_time_fails_the_request_or_is_left_out(
    world: Any, make: Any, server: WebhookServer
) -> None:
    def slow(request: dict[str, Any]) -> dict[str, Any]:
        server.released.wait(20)
        return review(request)

    server.answers["/v"] = slow
    configure(world, VALIDATING, hook(server, timeoutSeconds=1))
    with pytest.raises(ApiError) as refused:
        world.create("configmaps", make.config_map())
    assert refused.value.message == (
        'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post '
        f'"{server.url("/v")}?timeout=1s": context deadline exceeded'
    )
    assert (refused.value.code, refused.value.reason) == (500, "InternalError")
    world.delete(VALIDATING, "hooks")
    configure(world, VALIDATING, hook(server, timeoutSeconds=1, failurePolicy="Ignore"))
    assert world.create("configmaps", make.config_map())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda r: (500, b"boom"),
            'an error on the server ("boom") has prevented the request from succeeding',
        ),
        (lambda r: (404, b""), "the server could not find the requested resource"),
        (lambda r: {**review(r), "response": {"uid": "x", "allowed": True}}, 'got "x"'),
        (
            lambda r: {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"},
            "webhook response was absent",
        ),
        (lambda r: review(r, patch="W10=", patchType="Other"), 'invalid response.patchType of "Other"'),
    ],
)
def test_an_answer_of_no_use_is_a_failed_call(
    world: Any, make: Any, server: WebhookServer, answer: Any, said: str
) -> None:
    server.answers["/m"] = answer
    configure(world, MUTATING, hook(server, "/m"))
    with pytest.raises(ApiError) as refused:
        world.create("configmaps", make.config_map())
    assert refused.value.message.startswith(
        'Internal error occurred: failed calling webhook "m.example.com": '
    )
    assert said in refused.value.message


def test_who_signed_its_certificate_must_be_in_the_bundle(
    world: Any, make: Any, server: WebhookServer
) -> None:
    stranger = hook(server)
    del stranger["clientConfig"]["caBundle"]
    configure(world, VALIDATING, stranger)
    with pytest.raises(ApiError, match="x509: certificate signed by unknown authority"):
        world.create("configmaps", make.config_map())


def test_one_that_nobody_serves_is_named_with_the_reason(
    world: Any, make: Any, server: WebhookServer
) -> None:
    absent = {"service": {"namespace": "default", "name": "none", "path": "/v"}, "caBundle": server.ca_bundle}
    configure(world, VALIDATING, hook(server, clientConfig=absent))
    with pytest.raises(ApiError, match='failed to call webhook: service "none" not found'):
        world.create("configmaps", make.config_map())


def test_one_behind_a_service_is_called_at_its_endpoints(
    world: Any, make: Any, server: WebhookServer
) -> None:
    service = world.create("services", make.service("hook", ports=[{"port": 443, "targetPort": server.port}]))
    meta = service["metadata"]
    world.create(
        "endpointslices.discovery.k8s.io",
        {
            "metadata": {
                "name": "hook-1",
                "labels": {"kubernetes.io/service-name": "hook"},
                "ownerReferences": [
                    {
                        "apiVersion": "v1",
                        "kind": "Service",
                        "name": "hook",
                        "uid": meta["uid"],
                        "controller": True,
                    }
                ],
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"port": server.port, "name": ""}],
        },
    )
    server.answers["/v"] = denying("seen")
    config = {"service": {"namespace": "default", "name": "hook", "path": "/v"}, "caBundle": server.ca_bundle}
    configure(world, VALIDATING, hook(server, clientConfig=config))
    with pytest.raises(ApiError, match="seen"):
        world.create("configmaps", make.config_map())


def test_a_dry_run_is_told_as_such(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = review
    configure(world, VALIDATING, hook(server, sideEffects="NoneOnDryRun"))
    world.create("configmaps", make.config_map(), dry_run=True)
    assert server.asked["/v"][0]["dryRun"] is True


def condition(expression: str) -> list[dict[str, str]]:
    return [{"name": "c", "expression": expression}]


def test_conditions_say_whether_it_is_asked_at_all(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = denying("asked")
    only = "request.operation == 'CREATE' && object.metadata.name.startsWith('x')"
    configure(world, VALIDATING, hook(server, matchConditions=condition(only)))
    assert world.create("configmaps", make.config_map("a"))
    with pytest.raises(ApiError, match="asked"):
        world.create("configmaps", make.config_map("x1"))


def test_a_condition_that_can_not_be_evaluated_counts_as_a_failure(
    world: Any, make: Any, server: WebhookServer
) -> None:
    server.answers["/v"] = denying("asked")
    broken = condition("object.data.none == 'x'")
    configure(world, VALIDATING, hook(server, matchConditions=broken))
    with pytest.raises(ApiError, match="resulted in error: no such key: none"):
        world.create("configmaps", make.config_map("a", x="1"))
    world.delete(VALIDATING, "hooks")
    configure(world, VALIDATING, hook(server, matchConditions=broken, failurePolicy="Ignore"))
    assert world.create("configmaps", make.config_map("a", x="1"))
    assert server.asked == {}


def test_one_that_wants_to_is_asked_again_after_others_changed_the_object(
    world: Any, make: Any, server: WebhookServer
) -> None:
    server.answers["/a"] = review
    server.answers["/b"] = patching(add("/data/b", "1"))
    configure(world, MUTATING, hook(server, "/a", reinvocationPolicy="IfNeeded"), hook(server, "/b"))
    world.create("configmaps", make.config_map("a", x="1"))
    assert [asked["object"]["data"] for asked in server.asked["/a"]] == [{"x": "1"}, {"x": "1", "b": "1"}]
    assert len(server.asked["/b"]) == 1


def test_they_are_asked_in_the_order_of_their_configurations(
    world: Any, make: Any, server: WebhookServer
) -> None:
    server.answers["/b"] = patching(add("/data/who", "b"))
    server.answers["/a"] = patching(add("/data/who", "a"))
    configure(world, MUTATING, hook(server, "/b"), name="z")
    configure(world, MUTATING, hook(server, "/a"), name="a")
    assert world.create("configmaps", make.config_map("c", x="1"))["data"]["who"] == "b"


def test_warnings_reach_the_client(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/v"] = lambda r: review(r, warnings=["think again"])
    configure(world, VALIDATING, hook(server))
    request = world.request()
    world.registry.create(request, kinds.by_resource("configmaps"), "default", make.config_map())
    assert request.warnings == ["think again"]


def test_what_they_make_of_an_object_must_be_valid(world: Any, make: Any, server: WebhookServer) -> None:
    server.answers["/m"] = patching({"op": "replace", "path": "/spec/ports/0/port", "value": 0})
    rules = [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"]}]
    configure(world, MUTATING, hook(server, "/m", rules=rules))
    with pytest.raises(ApiError, match="spec.ports\\[0\\].port: Invalid value: 0"):
        world.create("services", make.service())


def test_several_are_asked_and_a_denial_says_more_than_a_failure(
    world: Any, make: Any, server: WebhookServer
) -> None:
    server.answers["/v"] = lambda r: (500, b"")
    server.answers["/w"] = denying("no")
    configure(world, VALIDATING, hook(server), hook(server, "/w"))
    with pytest.raises(ApiError, match='webhook "w.example.com" denied the request: no'):
        world.create("configmaps", make.config_map())


def test_webhooks_are_not_asked_about_webhooks(world: Any, server: WebhookServer) -> None:
    everything = [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}]
    server.answers["/v"] = denying("locked")
    configure(world, VALIDATING, hook(server, rules=everything))
    world.delete(VALIDATING, "hooks")
    assert server.asked == {}


def test_one_process_hears_of_a_webhook_that_another_stored(
    world: Any, make: Any, server: WebhookServer
) -> None:
    server.answers["/v"] = denying("no")
    behind = world.registry
    behind.view.catch_up()
    world.registry = world.another(2)
    configure(world, VALIDATING, hook(server))
    world.registry = behind
    with pytest.raises(ApiError, match="denied"):
        world.create("configmaps", make.config_map())
