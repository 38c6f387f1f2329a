"""StatefulSets, DaemonSets, ControllerRevisions, ReplicationControllers and PodTemplates: what they are filled in
with, what is refused, and how they are shown."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from app.base.errors import Invalid
from app.objects.change import Object
from app.schemas import decode, defaults, kinds, validate

NOW = 1_800_000_000.0
TEMPLATE: Object = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": "web:1"}]},
}
SELECTOR = {"matchLabels": {"app": "web"}}
CLAIM: Object = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def kind(name: str) -> kinds.Kind:
    found = kinds.by_kind("" if name in ("ReplicationController", "PodTemplate") else "apps", name)
    assert found is not None
    return found


def made(name: str, **spec: Any) -> Object:
    plain = name == "ReplicationController"
    body = {"selector": SELECTOR["matchLabels"] if plain else SELECTOR, "template": TEMPLATE, **spec}
    body = {field: value for field, value in body.items() if value is not None}
    obj = {
        "apiVersion": kind(name).api_version,
        "kind": name,
        "metadata": {"name": "web", "namespace": "default"},
        "spec": deepcopy(body),
    }
    return defaults.apply(kind(name), decode.decode(kind(name), obj)[0])


def faults(name: str, obj: Object, old: Object | None = None) -> list[str]:
    try:
        if old is None:
            validate.validate(kind(name), obj)
        else:
            validate.validate_update(kind(name), old, obj)
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


def cells(name: str, obj: Object, *, wide: bool = False) -> list[Any]:
    return [
        column.value(obj, NOW)
        for column in kind(name).columns
        if column.name != "Age" and (wide or column.priority == 0)
    ]


def test_a_stateful_set_is_filled_in() -> None:
    spec = made("StatefulSet", volumeClaimTemplates=[CLAIM])["spec"]

    assert {
        field: spec[field] for field in spec if field not in ("template", "volumeClaimTemplates", "selector")
    } == {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    }
    (claim,) = spec["volumeClaimTemplates"]
    assert (claim["apiVersion"], claim["kind"], claim["status"]) == (
        "v1",
        "PersistentVolumeClaim",
        {"phase": "Pending"},
    )
    assert claim["spec"]["volumeMode"] == "Filesystem"


def test_on_delete_has_no_settings_of_a_rolling_update() -> None:
    for name in ("StatefulSet", "DaemonSet"):
        assert made(name, updateStrategy={"type": "OnDelete"})["spec"]["updateStrategy"] == {
            "type": "OnDelete"
        }


def test_a_daemon_set_is_filled_in() -> None:
    spec = made("DaemonSet")["spec"]

    assert spec["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    }
    assert spec["revisionHistoryLimit"] == 10


def test_a_replication_controller_takes_its_labels_from_its_template() -> None:
    controller = made("ReplicationController", selector=None)

    assert controller["spec"]["selector"] == {"app": "web"}
    assert controller["metadata"]["labels"] == {"app": "web"}
    assert controller["spec"]["replicas"] == 1


@pytest.mark.parametrize("name", ["StatefulSet", "DaemonSet", "ReplicationController"])
def test_what_is_whole_passes(name: str) -> None:
    assert faults(name, made(name)) == []


@pytest.mark.parametrize(
    ("name", "spec", "expected"),
    [
        (
            "StatefulSet",
            {"podManagementPolicy": "Random"},
            "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"type": "Never"}},
            "spec.updateStrategy: Invalid value: {\"type\":\"Never\"}: must be 'RollingUpdate' or 'OnDelete'",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1, "maxUnavailable": 1}}},
            'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1,"maxUnavailable":1}: only allowed for '
            "updateStrategy 'RollingUpdate'",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"partition": -1}}},
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "150%"}}},
            'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "150%": must not be greater than 100%',
        ),
        ("StatefulSet", {"selector": None}, "spec.selector: Required value"),
        (
            "StatefulSet",
            {"selector": {}},
            "spec.selector: Invalid value: {}: empty selector is invalid for statefulset",
        ),
        (
            "StatefulSet",
            {"selector": {"matchLabels": {"app": "db"}}},
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
        (
            "StatefulSet",
            {"replicas": -1},
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "StatefulSet",
            {"ordinals": {"start": -1}},
            "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "StatefulSet",
            {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Burn"}},
            'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Burn": supported values: '
            '"Retain", "Delete"',
        ),
        (
            "StatefulSet",
            {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "activeDeadlineSeconds": 5}}},
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported",
        ),
        (
            "StatefulSet",
            {"volumeClaimTemplates": [{"spec": CLAIM["spec"]}]},
            "spec.volumeClaimTemplates[0].metadata.name: Required value",
        ),
        (
            "StatefulSet",
            {"volumeClaimTemplates": [CLAIM, CLAIM]},
            'spec.volumeClaimTemplates[1].metadata.name: Duplicate value: "data"',
        ),
        (
            "DaemonSet",
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}},
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
            "non-zero",
        ),
        (
            "DaemonSet",
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
        ),
        (
            "DaemonSet",
            {"updateStrategy": {"type": "Never"}},
            'spec.updateStrategy.type: Unsupported value: "Never": supported values: "RollingUpdate", "OnDelete"',
        ),
        (
            "DaemonSet",
            {"selector": {}},
            "spec.selector: Invalid value: {}: empty selector is invalid for daemonset",
        ),
        (
            "DaemonSet",
            {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}},
            'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        ),
        ("ReplicationController", {"template": None, "selector": None}, "spec.template: Required value"),
        (
            "ReplicationController",
            {"selector": {"app": "db"}},
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
    ],
)
def test_what_is_wrong_is_told_in_kubernetes_words(name: str, spec: Object, expected: str) -> None:
    assert expected in faults(name, made(name, **spec))


def test_a_pod_may_mount_the_claims_of_its_set_and_no_others() -> None:
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "other", "mountPath": "/other"}]
    pod = {"containers": [{"name": "main", "image": "web:1", "volumeMounts": mounts}]}
    obj = made("StatefulSet", template={**TEMPLATE, "spec": pod}, volumeClaimTemplates=[CLAIM])

    assert faults("StatefulSet", obj) == [
        'spec.template.spec.containers[0].volumeMounts[1].name: Not found: "other"'
    ]


def test_the_name_of_a_stateful_set_is_part_of_host_names() -> None:
    obj = made("StatefulSet")
    obj["metadata"]["name"] = "web.1"

    assert faults("StatefulSet", obj)[0].startswith(
        'metadata.name: Invalid value: "web.1": a lowercase RFC 1123 label'
    )


def test_of_a_stateful_set_only_some_things_may_change() -> None:
    old = made("StatefulSet", serviceName="web")
    free = made(
        "StatefulSet",
        serviceName="web",
        replicas=5,
        minReadySeconds=3,
        ordinals={"start": 2},
        updateStrategy={"type": "OnDelete"},
        revisionHistoryLimit=1,
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete", "whenScaled": "Delete"},
    )
    assert faults("StatefulSet", free, old) == []

    for change in (
        {"serviceName": "db"},
        {"podManagementPolicy": "Parallel"},
        {"volumeClaimTemplates": [CLAIM]},
    ):
        assert faults("StatefulSet", made("StatefulSet", **{"serviceName": "web", **change}), old) == [
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
            "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
            "are forbidden"
        ]


def test_the_selector_of_a_daemon_set_stays() -> None:
    template = {**TEMPLATE, "metadata": {"labels": {"app": "web", "tier": "front"}}}
    new = made("DaemonSet", selector={"matchLabels": {"tier": "front"}}, template=template)

    assert faults("DaemonSet", new, made("DaemonSet", template=template)) == [
        'spec.selector: Invalid value: {"matchLabels":{"tier":"front"}}: field is immutable'
    ]


def test_a_revision_keeps_what_it_holds() -> None:
    revision: Object = {"metadata": {"name": "web-1", "namespace": "default"}, "revision": 1}
    assert faults("ControllerRevision", revision) == ["data: Required value: data is mandatory"]

    old = {**revision, "data": {"spec": {}}}
    assert faults("ControllerRevision", {**old, "revision": 2}, old) == []
    assert faults("ControllerRevision", {**old, "data": {"spec": {"x": 1}}}, old) == [
        'data: Invalid value: {"spec":{"x":1}}: field is immutable'
    ]


def test_sets_are_shown_as_kubectl_shows_them() -> None:
    stateful = {**made("StatefulSet", replicas=3), "status": {"replicas": 3, "readyReplicas": 2}}
    assert cells("StatefulSet", stateful) == ["web", "2/3"]
    assert cells("StatefulSet", stateful, wide=True) == ["web", "2/3", "main", "web:1"]

    template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "nodeSelector": {"disk": "fast"}}}
    status = {
        "desiredNumberScheduled": 5,
        "currentNumberScheduled": 4,
        "numberReady": 3,
        "updatedNumberScheduled": 2,
    }
    daemon = {**made("DaemonSet", template=template), "status": status}
    assert cells("DaemonSet", daemon) == ["web", 5, 4, 3, 2, 0, "disk=fast"]
    assert cells("DaemonSet", daemon, wide=True)[-3:] == ["main", "web:1", "app=web"]

    controller = {**made("ReplicationController", replicas=2), "status": {"replicas": 1}}
    assert cells("ReplicationController", controller, wide=True) == [
        "web",
        2,
        1,
        0,
        "main",
        "web:1",
        "app=web",
    ]


def test_a_revision_is_shown_with_whose_history_it_is() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "u", "controller": True}
    meta = {"name": "web-1", "ownerReferences": [owner]}

    assert cells("ControllerRevision", {"metadata": meta, "revision": 4}) == [
        "web-1",
        "statefulset.apps/web",
        4,
    ]
    assert cells("ControllerRevision", {"metadata": {"name": "x"}}) == ["x", "<none>", 0]


def test_a_pod_template_is_shown_with_its_containers_and_labels() -> None:
    obj = {"metadata": {"name": "web"}, "template": TEMPLATE}

    assert cells("PodTemplate", obj) == ["web", "main", "web:1", "app=web"]
