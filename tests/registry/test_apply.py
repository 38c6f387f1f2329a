"""Server-side apply and managedFields, as the registry does them for real kinds."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.base.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound
from app.objects.managed.sets import paths
from app.schemas import kinds

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
MASTERS = ("system:masters",)


def apply(
    world: Any, resource: str, config: Any, manager: str = "me", subresource: str = "", **more: Any
) -> tuple[dict[str, Any], bool]:
    """The object after the apply, and whether it is new."""
    kind = kinds.by_resource(resource)
    namespace = "default" if kind.namespaced else ""
    name = config["metadata"].get("name") or "a"
    request = world.request(field_manager=manager, groups=MASTERS, **more)
    outcome = world.registry.apply(request, kind, namespace, name, config, subresource)
    return orjson.loads(outcome.body), outcome.created


def config_map(labels: Any = None, **data: Any) -> dict[str, Any]:
    meta = {"name": "a", **({"labels": labels} if labels else {})}
    rest = {"data": data} if data else {}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, **rest}


def deployment(replicas: int | None = 2, image: str = "web:1", **container: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": image, **container}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def managers(obj: dict[str, Any]) -> list[tuple[str, str, str]]:
    entries = obj["metadata"].get("managedFields") or []
    return [(entry["manager"], entry["operation"], entry.get("subresource", "")) for entry in entries]


def fields(obj: dict[str, Any], manager: str, subresource: str = "") -> set[str]:
    """What a manager owns, as dotted paths."""
    return {
        ".".join(element.partition(":")[2] for element in path)
        for entry in obj["metadata"]["managedFields"]
        if (entry["manager"], entry.get("subresource", "")) == (manager, subresource)
        for path in paths(entry["fieldsV1"])
    }


def test_an_apply_makes_an_object_that_is_not_there_and_changes_one_that_is(world: Any) -> None:
    made, new = apply(world, "configmaps", config_map(k="1"))
    assert new
    assert made["data"] == {"k": "1"}
    assert managers(made) == [("me", "Apply", "")]
    assert fields(made, "me") == {"data.k"}
    changed, new = apply(world, "configmaps", config_map(k="2"))
    assert not new
    assert changed["data"] == {"k": "2"}
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]


def test_the_same_apply_again_writes_nothing(world: Any) -> None:
    made, _ = apply(world, "deployments.apps", deployment())
    world.clock.move(60)
    again, _ = apply(world, "deployments.apps", deployment())
    assert again == made
    assert world.store.revision() == int(made["metadata"]["resourceVersion"])


def test_the_same_update_again_writes_nothing(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"), field_manager="x")
    world.clock.move(60)
    again = world.patch("configmaps", "a", {"data": {"k": "1"}}, field_manager="y")
    assert again == made


def test_what_another_applied_is_a_conflict_unless_forced(world: Any) -> None:
    apply(world, "deployments.apps", deployment(), "you")
    with pytest.raises(Conflict) as refused:
        apply(world, "deployments.apps", deployment(3, "web:2"))
    assert str(refused.value) == (
        'Apply failed with 2 conflicts: conflicts with "you":\n- .spec.replicas\n'
        '- .spec.template.spec.containers[name="web"].image'
    )
    assert [(c.reason, c.field, c.message) for c in refused.value.causes] == [
        ("FieldManagerConflict", ".spec.replicas", 'conflict with "you"'),
        (
            "FieldManagerConflict",
            '.spec.template.spec.containers[name="web"].image',
            'conflict with "you"',
        ),
    ]
    assert world.must("deployments.apps", "default/web")["spec"]["replicas"] == 2
    forced, _ = apply(world, "deployments.apps", deployment(3, "web:2"), force=True)
    assert forced["spec"]["replicas"] == 3
    assert "spec.replicas" not in fields(forced, "you")
    assert "spec.replicas" in fields(forced, "me")


def test_equal_values_are_owned_together(world: Any) -> None:
    apply(world, "configmaps", config_map(k="1"), "you")
    both, _ = apply(world, "configmaps", config_map(k="1"), "me")
    assert fields(both, "you") == fields(both, "me") == {"data.k"}
    # One gives it up, and it stays as the other's.
    left, _ = apply(world, "configmaps", config_map(), "me")
    assert left["data"] == {"k": "1"}
    assert managers(left) == [("you", "Apply", "")]


def test_what_is_applied_no_longer_goes(world: Any) -> None:
    apply(
        world,
        "deployments.apps",
        deployment(env=[{"name": "A", "value": "1"}, {"name": "B"}], ports=[{"containerPort": 80}]),
    )
    world.patch(
        "deployments.apps", "web",
        [{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "C"}}],
        JSON_PATCH, field_manager="you",
    )  # fmt: skip
    after, _ = apply(world, "deployments.apps", deployment(None, env=[{"name": "B"}]))
    (container,) = after["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "B"}, {"name": "C"}]
    assert "ports" not in container
    # Nobody asks for a number any more: the default holds.
    assert after["spec"]["replicas"] == 1


def test_ports_of_a_service_are_told_apart_by_default_protocols_too(world: Any) -> None:
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 53, "name": "tcp"}]},
    }  # fmt: skip
    made, _ = apply(world, "services", service)
    assert 'spec.ports.{"port":53,"protocol":"TCP"}.name' in fields(made, "me")
    udp = {**service, "spec": {"ports": [{"port": 53, "name": "udp", "protocol": "UDP"}]}}
    both, _ = apply(world, "services", udp, "you")
    assert [port["protocol"] for port in both["spec"]["ports"]] == ["TCP", "UDP"]
    again, _ = apply(world, "services", service)
    assert again == both


def test_a_selector_has_one_owner(world: Any) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    apply(world, "services", {**service, "spec": {"selector": {"a": "1"}, "ports": [{"port": 80}]}}, "you")
    with pytest.raises(Conflict, match=r'conflict with "you": \.spec\.selector$'):
        apply(world, "services", {**service, "spec": {"selector": {"b": "2"}}})


def test_every_write_is_accounted_for(world: Any, make: Any) -> None:
    made = world.create("deployments.apps", make.deployment(), user_agent="curl/8.5.0 linux")
    assert managers(made) == [("curl", "Update", "")]
    assert {"spec.replicas", "spec.strategy.type"} <= fields(made, "curl")
    assert "metadata.name" not in fields(made, "curl")
    patched = world.patch("deployments.apps", "web", {"spec": {"paused": True}}, field_manager="me")
    assert fields(patched, "me") == {"spec.paused"}
    put = world.put(
        "deployments.apps", {**patched, "spec": {**patched["spec"], "paused": False}}, field_manager="you"
    )
    assert "me" not in [manager for manager, _, _ in managers(put)]
    status = world.patch(
        "deployments.apps", "web", {"status": {"replicas": 3}}, subresource="status", field_manager="me"
    )
    assert fields(status, "me", "status") == {"status.replicas"}


def test_a_scale_is_accounted_for_as_the_object_s_replicas(world: Any) -> None:
    apply(world, "deployments.apps", deployment(2))
    kind = kinds.by_resource("deployments.apps")
    world.registry.patch_scale(
        world.request(field_manager="scaler"), kind, "default", "web", {"spec": {"replicas": 5}}, MERGE
    )
    scaled = world.must("deployments.apps", "default/web")
    assert fields(scaled, "scaler", "scale") == {"spec.replicas"}
    assert "spec.replicas" not in fields(scaled, "me")
    with pytest.raises(
        Conflict, match='conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas'
    ):
        apply(world, "deployments.apps", deployment(2))


def test_a_scale_can_be_applied(world: Any) -> None:
    apply(world, "deployments.apps", deployment(None), "you")
    scale = {
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4},
    }  # fmt: skip
    with pytest.raises(Invalid):
        apply(world, "deployments.apps", {**scale, "spec": {"replicas": -1}}, "auto", "scale")
    shown, new = apply(world, "deployments.apps", scale, "auto", "scale")
    assert (shown["kind"], shown["spec"]["replicas"], new) == ("Scale", 4, False)
    stored = world.must("deployments.apps", "default/web")
    assert fields(stored, "auto", "scale") == {"spec.replicas"}
    with pytest.raises(Conflict, match=r'"auto" with subresource "scale": \.spec\.replicas'):
        apply(world, "deployments.apps", deployment(1))


def test_a_status_is_applied_by_its_own_path(world: Any) -> None:
    apply(world, "deployments.apps", {**deployment(), "status": {"replicas": 9}})
    assert world.must("deployments.apps", "default/web")["status"] == {}
    condition = {"type": "Fine", "status": "True", "lastTransitionTime": "2027-01-15T08:00:00Z"}
    status = {"status": {"conditions": [condition]}, "spec": {"replicas": 7}}
    after, _ = apply(world, "deployments.apps", {**deployment(), **status}, "watcher", "status")
    assert after["spec"]["replicas"] == 2
    assert after["status"]["conditions"] == [condition]
    assert 'status.conditions.{"type":"Fine"}.status' in fields(after, "watcher", "status")
    gone, _ = apply(world, "deployments.apps", deployment(), "watcher", "status")
    assert gone["status"] == {}
    assert managers(gone) == [("me", "Apply", "")]


def test_the_status_of_what_is_not_there_is_not_found(world: Any) -> None:
    with pytest.raises(NotFound, match='deployments.apps "web" not found'):
        apply(world, "deployments.apps", {**deployment(), "status": {}}, subresource="status")


def test_a_dry_run_stores_nothing(world: Any) -> None:
    shown, new = apply(world, "configmaps", config_map(k="1"), dry_run=True)
    assert new
    assert managers(shown) == [("me", "Apply", "")]
    assert world.get("configmaps", "default/a") is None
    apply(world, "configmaps", config_map(k="1"))
    shown, _ = apply(world, "configmaps", config_map(k="2"), dry_run=True)
    assert shown["data"] == {"k": "2"}
    assert world.must("configmaps", "default/a")["data"] == {"k": "1"}


def test_a_configuration_for_another_uid_is_a_conflict(world: Any) -> None:
    config = config_map(k="1")
    config["metadata"]["uid"] = "u"
    with pytest.raises(
        Conflict, match="uid mismatch: the provided object specified uid u, and no existing object"
    ):
        apply(world, "configmaps", config)
    apply(world, "configmaps", config_map(k="1"))
    with pytest.raises(Conflict, match="Precondition failed: UID"):
        apply(world, "configmaps", config)


def test_a_configuration_for_an_old_version_is_a_conflict(world: Any) -> None:
    made, _ = apply(world, "configmaps", config_map(k="1"))
    apply(world, "configmaps", config_map(k="2"))
    config = config_map(k="3")
    config["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    with pytest.raises(Conflict, match="the object has been modified"):
        apply(world, "configmaps", config)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"apiVersion": "v2"}, "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1"),
        ({"kind": "Secret"}, "cannot be handled as a ConfigMap"),
        ({"metadata": {"name": "a", "managedFields": []}}, "metadata.managedFields must be nil"),
        ({"metadata": []}, "metadata must be an object"),
        ({"metadata": {}}, "name must be provided"),
        ({"datum": {}}, r"failed to create typed patch object \(default/a; v1, Kind=ConfigMap\): "
                        r"\.datum: field not declared in schema"),
        ({"data": {"k": 1}}, "cannot be handled as a ConfigMap"),
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_refused(world: Any, change: Any, why: str) -> None:
    config = {**config_map(k="1"), **change}
    kind = kinds.by_resource("configmaps")
    with pytest.raises(BadRequest, match=why):
        world.registry.apply(world.request(field_manager="me", groups=MASTERS), kind, "default", "a", config)
    assert world.get("configmaps", "default/a") is None


def test_who_applies_must_say_so(world: Any) -> None:
    with pytest.raises(Invalid) as refused:
        apply(world, "configmaps", config_map(), "")
    assert refused.value.message == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


def test_an_apply_makes_nothing_in_a_namespace_that_is_not_there(world: Any) -> None:
    kind = kinds.by_resource("configmaps")
    with pytest.raises((NotFound, Forbidden), match="nowhere"):
        world.registry.apply(
            world.request(field_manager="me", groups=MASTERS), kind, "nowhere", "a", config_map()
        )


def test_who_may_not_create_can_not_do_so_by_applying(world: Any) -> None:
    kind = kinds.by_resource("configmaps")
    with pytest.raises(
        Forbidden, match='User "alice" cannot create resource "configmaps" in API group "" in the namespace'
    ):
        world.registry.apply(world.request(field_manager="me"), kind, "default", "a", config_map(k="1"))
    apply(world, "configmaps", config_map(k="1"))
    # That alice may patch was found out before.
    changed = world.registry.apply(world.request(field_manager="me"), kind, "default", "a", config_map(l="2"))
    assert orjson.loads(changed.body)["data"] == {"l": "2"}


def test_null_does_not_take_from_others_silently(world: Any) -> None:
    apply(world, "deployments.apps", deployment(3), "you")
    config = deployment(None)
    config["spec"]["replicas"] = None
    with pytest.raises(Conflict, match=r"\.spec\.replicas"):
        apply(world, "deployments.apps", config)


def test_clients_may_make_the_account_anew_and_end_it(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"), field_manager="old")
    sent = {**made["metadata"]["managedFields"][0], "manager": "new"}
    patched = world.patch("configmaps", "a", {"metadata": {"managedFields": [sent]}}, field_manager="x")
    assert managers(patched) == [("new", "Update", "")]
    nonsense = world.patch(
        "configmaps", "a", {"metadata": {"managedFields": [{"manager": "z", "operation": "?"}]}}
    )
    assert managers(nonsense) == [("new", "Update", "")]
    ended = world.patch("configmaps", "a", {"metadata": {"managedFields": [{}]}}, field_manager="x")
    assert "managedFields" not in ended["metadata"]
    # Nothing is accounted for now, until somebody applies.
    untracked = world.patch("configmaps", "a", {"data": {"k": "2"}}, field_manager="x")
    assert "managedFields" not in untracked["metadata"]
    applied, _ = apply(world, "configmaps", config_map(k="2"))
    assert managers(applied) == [("me", "Apply", ""), ("before-first-apply", "Update", "")]


def test_an_object_put_without_its_account_keeps_it(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"), field_manager="me")
    meta = {k: v for k, v in made["metadata"].items() if k != "managedFields"}
    assert world.put("configmaps", {**made, "metadata": meta}) == made


LAST = "kubectl.kubernetes.io/last-applied-configuration"


def test_kubectl_takes_over_what_it_applied_on_the_client_s_side(world: Any) -> None:
    last = config_map(k="1")
    annotated = {**last, "metadata": {"name": "a", "annotations": {LAST: orjson.dumps(last).decode()}}}
    world.create("configmaps", annotated, field_manager="kubectl-client-side-apply")
    with pytest.raises(Conflict):
        apply(world, "configmaps", config_map(k="2"), "somebody")
    applied, _ = apply(world, "configmaps", config_map(k="2"), "kubectl")
    assert applied["data"] == {"k": "2"}
    # And the way back is open.
    assert orjson.loads(applied["metadata"]["annotations"][LAST])["data"] == {"k": "2"}


def test_kubectl_does_not_take_what_others_changed_since(world: Any) -> None:
    last = config_map(k="1", other="1")
    annotated = {**last, "metadata": {"name": "a", "annotations": {LAST: orjson.dumps(last).decode()}}}
    world.create("configmaps", annotated, field_manager="kubectl-client-side-apply")
    world.patch("configmaps", "a", {"data": {"other": "2"}}, field_manager="you")
    with pytest.raises(Conflict) as refused:
        apply(world, "configmaps", config_map(k="3", other="3"), "kubectl")
    assert str(refused.value) == 'Apply failed with 1 conflict: conflict with "you" using v1: .data.other'


def test_an_apply_in_another_version_finds_the_same_fields(world: Any) -> None:
    autoscaler = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3},
    }  # fmt: skip
    made, _ = apply(world, "horizontalpodautoscalers.autoscaling", autoscaler)
    v1 = next(
        kind
        for kind in kinds.ALL
        if kind.api_version == "autoscaling/v1" and kind.kind == "HorizontalPodAutoscaler"
    )
    older = {**autoscaler, "apiVersion": "autoscaling/v1", "spec": {**autoscaler["spec"], "maxReplicas": 4}}
    with pytest.raises(Conflict, match=r'conflict with "me": \.spec\.maxReplicas'):
        world.registry.apply(world.request(field_manager="you", groups=MASTERS), v1, "default", "a", older)
    outcome = world.registry.apply(
        world.request(field_manager="me", groups=MASTERS), v1, "default", "a", older
    )
    after = orjson.loads(outcome.body)
    assert after["spec"]["maxReplicas"] == 4
    assert [entry["apiVersion"] for entry in after["metadata"]["managedFields"]] == ["autoscaling/v1"]
    assert after["metadata"]["uid"] == made["metadata"]["uid"]
