from __future__ import annotations

import copy

import pytest

from app.base.errors import Invalid
from app.schemas import defaults, kinds
from app.schemas.validate import validate, validate_update

POD = kinds.by_resource("pods")
DEPLOYMENT = kinds.by_resource("deployments.apps")
SERVICE = kinds.by_resource("services")
CONFIG_MAP = kinds.by_resource("configmaps")
SECRET = kinds.by_resource("secrets")


def faults(kind, obj):
    """What is wrong with an object, `field: message`."""
    try:
        validate(kind, defaults.apply(kind, obj))
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


def update_faults(kind, old, new):
    old, new = defaults.apply(kind, old), defaults.apply(kind, new)
    try:
        validate_update(kind, old, new)
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


def test_what_people_write_is_valid(pod, deployment, service):
    assert faults(POD, pod) == []
    assert faults(DEPLOYMENT, deployment) == []
    assert faults(SERVICE, service) == []


def test_a_refusal_reads_as_in_kubernetes(deployment):
    del deployment["spec"]["template"]["spec"]["containers"][0]["image"]

    with pytest.raises(Invalid) as caught:
        validate(DEPLOYMENT, defaults.apply(DEPLOYMENT, deployment))

    error = caught.value
    assert error.message == (
        'Deployment.apps "web" is invalid: spec.template.spec.containers[0].image: Required value'
    )
    assert error.details() == {
        "name": "web",
        "group": "apps",
        "kind": "Deployment",
        "causes": [
            {
                "reason": "FieldValueRequired",
                "message": "Required value",
                "field": "spec.template.spec.containers[0].image",
            }
        ],
    }


def test_several_faults_are_listed_together(deployment):
    deployment["spec"]["replicas"] = -1
    deployment["spec"]["strategy"] = {"type": "Sudden"}

    with pytest.raises(Invalid) as caught:
        validate(DEPLOYMENT, defaults.apply(DEPLOYMENT, deployment))

    assert caught.value.message == (
        'Deployment.apps "web" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, '
        'spec.strategy.type: Unsupported value: "Sudden": supported values: "Recreate", "RollingUpdate"]'
    )


def test_an_empty_deployment_is_told_all_it_lacks():
    assert faults(DEPLOYMENT, {"metadata": {"name": "web"}}) == [
        "spec.selector: Required value",
        "spec.template.spec.containers: Required value",
        "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
    ]


def test_a_selector_must_match_the_template(deployment):
    deployment["spec"]["template"]["metadata"]["labels"] = {"app": "other"}

    assert faults(DEPLOYMENT, deployment) == [
        'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`'
    ]


def test_an_empty_selector_is_refused(deployment):
    deployment["spec"]["selector"] = {}

    assert faults(DEPLOYMENT, deployment) == [
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
    ]


def test_an_update_must_be_able_to_move(deployment):
    deployment["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}

    assert faults(DEPLOYMENT, deployment) == [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Web"}, 'spec.containers[0].name: Invalid value: "Web": a lowercase RFC 1123 label'),
        (
            {"image": " nginx"},
            'spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing',
        ),
        (
            {"imagePullPolicy": "Maybe"},
            'spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported',
        ),
        (
            {"ports": [{"containerPort": 0}]},
            "spec.containers[0].ports[0].containerPort: Invalid value: 0: must be",
        ),
        ({"ports": [{}]}, "spec.containers[0].ports[0].containerPort: Required value"),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            'spec.containers[0].ports[1].name: Duplicate value: "a"',
        ),
        (
            {"readinessProbe": {}},
            "spec.containers[0].readinessProbe: Required value: must specify a handler type",
        ),
        (
            {"readinessProbe": {"exec": {"command": ["true"]}, "tcpSocket": {"port": 1}}},
            "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        (
            {"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}},
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        (
            {"resources": {"limits": {"cpu": "-1"}, "requests": {"cpu": "-1"}}},
            'spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ),
        (
            {"volumeMounts": [{"name": "other", "mountPath": "/x"}]},
            'spec.containers[0].volumeMounts[0].name: Not found: "other"',
        ),
        (
            {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not',
        ),
        (
            {"env": [{"name": "A=B"}]},
            'spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment',
        ),
    ],
)
def test_a_container_that_makes_no_sense_is_refused(pod, change, expected):
    pod["spec"]["containers"][0].update(change)

    assert [fault for fault in faults(POD, pod) if fault.startswith(expected)]


def test_names_of_containers_are_unique(pod):
    pod["spec"]["containers"].append({"name": "web", "image": "nginx"})

    assert faults(POD, pod) == ['spec.containers[1].name: Duplicate value: "web"']


def test_a_volume_has_one_source(pod):
    pod["spec"]["volumes"][0]["emptyDir"] = {}

    assert faults(POD, pod) == [
        "spec.volumes[0].emptyDir: Forbidden: may not specify more than 1 volume type"
    ]


def test_labels_and_annotations_have_a_form(pod):
    pod["metadata"]["labels"] = {"a b": "fine", "fine": "a b"}
    pod["metadata"]["annotations"] = {"/": "x"}

    fields = [fault.partition(": ")[0] for fault in faults(POD, pod)]

    assert fields.count("metadata.labels") == 2
    assert "metadata.annotations" in fields


@pytest.mark.parametrize(
    ("resource", "name", "fine"),
    [
        ("pods", "a.b-c.d", True),
        ("pods", "a_b", False),
        ("services", "web-1", True),
        ("services", "1web", False),
        ("services", "a.b", False),
        ("namespaces", "1team", True),
        ("namespaces", "a.b", False),
        ("configmaps", "kube-root-ca.crt", True),
        ("configmaps", "a" * 254, False),
        ("configmaps", "", False),
    ],
)
def test_each_kind_has_its_form_of_names(resource, name, fine):
    found = faults(kinds.by_resource(resource), {"metadata": {"name": name}})

    assert (not [fault for fault in found if fault.startswith("metadata.name: ")]) is fine


def test_ports_of_a_service_are_told_apart(service):
    service["spec"]["ports"] = [{"port": 80, "name": "a"}, {"port": 80, "name": "a"}, {"port": 81}]

    assert faults(SERVICE, service) == [
        'spec.ports[1].name: Duplicate value: "a"',
        'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
        "spec.ports[2].name: Required value",
    ]


def test_a_key_of_a_config_map_can_be_a_file():
    found = faults(CONFIG_MAP, {"metadata": {"name": "c"}, "data": {"a/b": "", "..": ""}})

    assert [fault.partition(": ")[0] for fault in found] == ["data[a/b]", "data[..]"]


def test_a_config_map_is_at_most_a_mebibyte():
    assert faults(CONFIG_MAP, {"metadata": {"name": "c"}, "data": {"k": "x" * (1 << 20)}}) == []
    assert faults(CONFIG_MAP, {"metadata": {"name": "c"}, "data": {"k": "x" * ((1 << 20) + 1)}}) == [
        "[]: Too long: may not be more than 1048576 bytes"
    ]


def test_a_selector_stays(deployment):
    new = copy.deepcopy(deployment)
    new["spec"]["selector"]["matchLabels"]["tier"] = "front"
    new["spec"]["template"]["metadata"]["labels"]["tier"] = "front"

    assert update_faults(DEPLOYMENT, deployment, new) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"front"}}: field is immutable'
    ]


def test_of_a_pod_the_image_may_change_and_little_else(pod):
    new = copy.deepcopy(pod)
    new["spec"]["containers"][0]["image"] = "nginx:1.27"
    new["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    new["spec"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    assert update_faults(POD, pod, new) == []

    new["spec"]["nodeSelector"] = {"disk": "ssd"}
    assert update_faults(POD, pod, new)[0].startswith(
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`"
    )


def test_a_toleration_is_not_taken_back(pod):
    pod["spec"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    new = copy.deepcopy(pod)
    new["spec"]["tolerations"] = []

    assert update_faults(POD, pod, new) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    ]


def test_the_address_of_a_service_stays(service):
    service["spec"]["clusterIP"] = "10.96.0.7"
    new = copy.deepcopy(service)
    new["spec"]["clusterIP"] = "10.96.0.8"

    assert update_faults(SERVICE, service, new) == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set'
    ]


@pytest.mark.parametrize("kind", [CONFIG_MAP, SECRET])
def test_what_is_sealed_stays_sealed(kind):
    old = {"metadata": {"name": "c"}, "immutable": True, "data": {"k": "YQ=="}}

    assert update_faults(kind, old, {"metadata": {"name": "c"}, "data": {"k": "Yg=="}}) == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]
    relabelled = {**old, "metadata": {"name": "c", "labels": {"a": "b"}}}
    assert update_faults(kind, old, relabelled) == []


def test_identity_stays(pod):
    pod["metadata"]["uid"] = "1"
    new = copy.deepcopy(pod)
    new["metadata"]["uid"] = "2"

    assert update_faults(POD, pod, new) == ['metadata.uid: Invalid value: "2": field is immutable']


def test_labels_are_looked_at_even_if_nothing_else_changed(pod):
    new = copy.deepcopy(pod)
    new["metadata"]["labels"] = {"app": "a b"}

    assert [fault.partition(": ")[0] for fault in update_faults(POD, pod, new)] == ["metadata.labels"]


def test_the_status_is_not_looked_at(pod):
    new = {**pod, "status": {"containerStatuses": [{"name": "Not A Name"}]}}

    assert update_faults(POD, pod, new) == []
    assert faults(POD, new) == []
