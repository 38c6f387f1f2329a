"""Tables, defaults and what may not change, of the kinds that make up a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import parse_rfc3339
from app.base.errors import Invalid
from app.schemas import defaults, kinds
from app.schemas.table import render
from app.schemas.validate import validate_update

NOW = parse_rfc3339("2026-01-31T12:00:00Z")
META = {"name": "x", "creationTimestamp": "2026-01-31T11:55:00Z"}
CLAIM = {
    "metadata": {"name": "c", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
}


def row(resource: str, obj: dict[str, Any]) -> list[Any]:
    kind = kinds.by_resource(resource)
    meta = {**META, **obj.get("metadata", {})}
    return list(render(kind, [defaults.apply(kind, {**obj, "metadata": meta})], NOW)["rows"][0]["cells"])


def filled(resource: str, obj: dict[str, Any]) -> dict[str, Any]:
    return defaults.apply(kinds.by_resource(resource), obj)


def refused(resource: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    kind = kinds.by_resource(resource)
    try:
        validate_update(kind, filled(resource, old), filled(resource, new))
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


def test_a_volume_shows_its_size_its_modes_and_its_claim() -> None:
    volume = {
        "spec": {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            "claimRef": {"namespace": "shop", "name": "data"},
            "storageClassName": "slow",
        },
        "status": {"phase": "Bound"},
    }
    assert row("persistentvolumes", volume) == [
        "x", "5Gi", "RWO,RWX", "Retain", "Bound", "shop/data", "slow", "<unset>", "", "5m", "Filesystem",
    ]  # fmt: skip


def test_a_claim_shows_its_volume_once_it_has_one() -> None:
    waiting = {"spec": {"storageClassName": "slow"}, "status": {"capacity": {"storage": "5Gi"}}}
    assert row("persistentvolumeclaims", waiting) == [
        "x", "Pending", "", "", "", "slow", "<unset>", "5m", "Filesystem",
    ]  # fmt: skip
    bound = {
        "spec": {"volumeName": "v", "volumeAttributesClassName": "gold"},
        "status": {"phase": "Bound", "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOncePod"]},
    }
    assert row("persistentvolumeclaims", bound) == [
        "x", "Bound", "v", "5Gi", "RWOP", "", "gold", "5m", "Filesystem",
    ]  # fmt: skip
    going = {**bound, "metadata": {"deletionTimestamp": META["creationTimestamp"]}}
    assert row("persistentvolumeclaims", going)[1] == "Terminating"


@pytest.mark.parametrize(
    ("resource", "obj", "cells"),
    [
        ("resourcequotas", {"status": {"hard": {"cpu": "2", "limits.cpu": "4", "pods": "3"}, "used": {"cpu": "1"}}},
         ["x", "cpu: 1/2, pods: 0/3", "limits.cpu: 0/4", "5m"]),
        ("limitranges", {}, ["x", "2026-01-31T11:55:00Z"]),
        ("priorityclasses.scheduling.k8s.io", {"value": 5}, ["x", 5, False, "5m", "PreemptLowerPriority"]),
        ("runtimeclasses.node.k8s.io", {"handler": "runsc"}, ["x", "runsc", "5m"]),
        ("storageclasses.storage.k8s.io",
         {"provisioner": "a/b", "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}},
         ["x (default)", "a/b", "Delete", "Immediate", False, "5m"]),
        ("csidrivers.storage.k8s.io", {"spec": {"tokenRequests": [{"audience": "a"}]}},
         ["x", True, False, False, "a", False, "Persistent", "5m"]),
        ("csinodes.storage.k8s.io", {"spec": {"drivers": [{"name": "a", "nodeID": "b"}]}}, ["x", 1, "5m"]),
        ("csistoragecapacities.storage.k8s.io", {"storageClassName": "slow"}, ["x", "slow", "<unset>"]),
        ("volumeattachments.storage.k8s.io",
         {"spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}}},
         ["x", "a", "v", "n", False, "5m"]),
        ("ingresses.networking.k8s.io",
         {"spec": {"rules": [{"host": f"{c}.io"} for c in "abcd"], "tls": [{}]},
          "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "lb"}]}}},
         ["x", "<none>", "a.io,b.io,c.io + 1 more...", "1.2.3.4,lb", "80, 443", "5m"]),
        ("ingresses.networking.k8s.io", {"spec": {"ingressClassName": "nginx"}}, ["x", "nginx", "*", "", "80", "5m"]),
        ("ingressclasses.networking.k8s.io",
         {"spec": {"controller": "a/b", "parameters": {"apiGroup": "g.io", "kind": "K", "name": "n"}}},
         ["x", "a/b", "K.g.io/n", "5m"]),
        ("networkpolicies.networking.k8s.io", {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}},
         ["x", "a=b", "5m"]),
        ("servicecidrs.networking.k8s.io", {"spec": {"cidrs": ["10.0.0.0/16"]}}, ["x", "10.0.0.0/16", "5m"]),
        ("ipaddresses.networking.k8s.io",
         {"spec": {"parentRef": {"group": "g", "resource": "r", "namespace": "n", "name": "m"}}}, ["x", "r.g/n/m"]),
        ("validatingwebhookconfigurations.admissionregistration.k8s.io", {"webhooks": [{}, {}]}, ["x", 2, "5m"]),
        ("validatingadmissionpolicies.admissionregistration.k8s.io",
         {"spec": {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}}, ["x", 0, "v1/ConfigMap", "5m"]),
        ("validatingadmissionpolicybindings.admissionregistration.k8s.io",
         {"spec": {"policyName": "p", "paramRef": {"name": "n", "namespace": "ns"}}}, ["x", "p", "ns/n", "5m"]),
        ("componentstatuses", {"conditions": [{"type": "Healthy", "status": "True", "message": "ok"}]},
         ["x", "Healthy", "ok", ""]),
        ("configmaps", {"data": {"a": "b"}, "binaryData": {"c": "ZA=="}}, ["x", 2, "5m"]),
    ],
)  # fmt: skip
def test_kinds_are_shown_as_kubectl_shows_them(resource: str, obj: dict[str, Any], cells: list[Any]) -> None:
    assert row(resource, obj) == cells


def test_a_container_without_limits_gets_the_most_there_is_and_asks_for_its_limit() -> None:
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Gi"}}
    made = filled("limitranges", {"spec": {"limits": [item]}})["spec"]["limits"][0]
    assert made["default"] == {"cpu": "2"}
    assert made["defaultRequest"] == {"cpu": "2", "memory": "1Gi"}
    of_pods = filled("limitranges", {"spec": {"limits": [{**item, "type": "Pod"}]}})["spec"]["limits"][0]
    assert "default" not in of_pods


def test_a_webhook_is_asked_of_everything_and_given_ten_seconds() -> None:
    resource = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
    hook = filled(resource, {"webhooks": [{"rules": [{}], "clientConfig": {"service": {}}}]})["webhooks"][0]
    assert hook == {
        "rules": [{"scope": "*"}],
        "clientConfig": {"service": {"port": 443}},
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "timeoutSeconds": 10,
        "reinvocationPolicy": "Never",
    }


def test_a_network_policy_is_about_egress_only_if_it_speaks_of_it() -> None:
    resource = "networkpolicies.networking.k8s.io"
    assert filled(resource, {"spec": {}})["spec"]["policyTypes"] == ["Ingress"]
    assert filled(resource, {"spec": {"egress": [{}]}})["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize(
    ("resource", "old", "change", "message"),
    [
        ("priorityclasses.scheduling.k8s.io", {"value": 1}, {"value": 2},
         "value: Forbidden: may not be changed in an update."),
        ("priorityclasses.scheduling.k8s.io", {"value": 1}, {"preemptionPolicy": "Never"},
         'preemptionPolicy: Invalid value: "Never": field is immutable'),
        ("storageclasses.storage.k8s.io", {"provisioner": "a"}, {"provisioner": "b"},
         "provisioner: Forbidden: updates to provisioner are forbidden."),
        ("storageclasses.storage.k8s.io", {"provisioner": "a"}, {"parameters": {"a": "b"}},
         "parameters: Forbidden: updates to parameters are forbidden."),
        ("storageclasses.storage.k8s.io", {"provisioner": "a"}, {"volumeBindingMode": "WaitForFirstConsumer"},
         'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable'),
        ("runtimeclasses.node.k8s.io", {"handler": "a"}, {"handler": "b"},
         'handler: Invalid value: "b": field is immutable'),
        ("volumeattributesclasses.storage.k8s.io", {"driverName": "a", "parameters": {"a": "b"}},
         {"parameters": {"a": "c"}}, "parameters: Forbidden: updates to parameters are forbidden."),
        ("csidrivers.storage.k8s.io", {"spec": {}}, {"spec": {"attachRequired": False}},
         "spec.attachRequired: Invalid value: false: field is immutable"),
    ],
)  # fmt: skip
def test_what_an_object_is_known_by_does_not_change(
    resource: str, old: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    before = {**old, "metadata": {"name": "x"}}
    assert refused(resource, before, {**before, **change}) == [message]
    assert refused(resource, before, before) == []


def claim(phase: str = "Bound", size: str = "2Gi", has: str = "1Gi", **spec: Any) -> dict[str, Any]:
    status = {"phase": phase, "capacity": {"storage": has}}
    whole = {**CLAIM["spec"], "resources": {"requests": {"storage": size}}, **spec}
    return {**CLAIM, "spec": whole, "status": status}


def test_a_bound_claim_may_ask_for_more_and_for_less_down_to_what_it_has() -> None:
    assert refused("persistentvolumeclaims", claim(), claim(size="5Gi")) == []
    assert refused("persistentvolumeclaims", claim(), claim(size="1500Mi")) == []
    assert refused("persistentvolumeclaims", claim(), claim(size="1Gi")) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]


def test_a_claim_that_waits_does_not_change_and_says_what_would_have() -> None:
    (message,) = refused("persistentvolumeclaims", claim(phase="Pending"), claim(phase="Pending", size="5Gi"))
    assert message == (
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
        "for bound claims\n"
        "  core.PersistentVolumeClaimSpec{\n"
        "  \t... // 2 identical fields\n"
        '- \tResources: {"requests":{"storage":"2Gi"}},\n'
        '+ \tResources: {"requests":{"storage":"5Gi"}},\n'
        "  \t... // 6 identical fields\n"
        "  }\n"
    )
    for later in ({"volumeName": "v"}, {"storageClassName": "slow"}):
        assert (
            refused("persistentvolumeclaims", claim(phase="Pending"), claim(phase="Pending", **later)) == []
        )


def test_what_a_volume_is_stored_on_does_not_change() -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}
    old = {"metadata": {"name": "v"}, "spec": spec}
    (message,) = refused("persistentvolumes", old, {**old, "spec": {**spec, "hostPath": {"path": "/b"}}})
    assert message.startswith(
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n"
    )
    assert refused("persistentvolumes", old, {**old, "spec": {**spec, "claimRef": {"name": "c"}}}) == []


def test_every_supported_kind_has_the_names_kubectl_knows() -> None:
    short = {kind.resource: kind.short_names for kind in kinds.ALL}
    assert short["persistentvolumes"] == ("pv",)
    assert short["resourcequotas"] == ("quota",)
    assert short["networkpolicies.networking.k8s.io"] == ("netpol",)
    assert short["volumeattributesclasses.storage.k8s.io"] == ("vac",)
