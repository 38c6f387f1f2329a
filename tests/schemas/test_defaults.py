from __future__ import annotations

import base64
import copy

import pytest

from app.schemas import defaults, kinds

POD = kinds.by_resource("pods")
DEPLOYMENT = kinds.by_resource("deployments.apps")
SERVICE = kinds.by_resource("services")


def test_a_pod_gets_what_kubernetes_gives_it(pod):
    spec = defaults.apply(POD, pod)["spec"]

    container = spec["containers"][0]
    assert {k: spec[k] for k in spec if k not in ("containers", "volumes")} == {
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    assert container["terminationMessagePath"] == "/dev/termination-log"
    assert container["terminationMessagePolicy"] == "File"
    assert container["ports"] == [{"containerPort": 80, "name": "http", "protocol": "TCP"}]
    assert container["env"][0]["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "metadata.name"}
    assert container["readinessProbe"] == {
        "httpGet": {"path": "/", "port": "http", "scheme": "HTTP"},
        "failureThreshold": 3,
        "periodSeconds": 10,
        "successThreshold": 1,
        "timeoutSeconds": 1,
    }
    assert spec["volumes"] == [{"name": "settings", "configMap": {"name": "web", "defaultMode": 420}}]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry.example:5000/nginx", "Always"),
        ("registry.example:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:0123", "IfNotPresent"),
        ("nginx:latest@sha256:0123", "Always"),
    ],
)
def test_an_image_that_may_change_is_always_pulled(pod, image, policy):
    pod["spec"]["containers"][0]["image"] = image

    assert defaults.apply(POD, pod)["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_a_pod_asks_for_its_limits_where_it_says_nothing(pod):
    resources = defaults.apply(POD, pod)["spec"]["containers"][0]["resources"]

    assert resources["requests"] == {"cpu": "100m", "memory": "1024Mi"}


def test_a_template_is_not_given_what_only_pods_get(deployment):
    template = defaults.apply(DEPLOYMENT, deployment)["spec"]["template"]["spec"]

    assert "enableServiceLinks" not in template
    assert template["containers"][0]["resources"]["requests"] == {"cpu": "100m"}
    assert template["restartPolicy"] == "Always"


def test_a_deployment_updates_a_quarter_at_a_time(deployment):
    spec = defaults.apply(DEPLOYMENT, deployment)["spec"]

    assert spec["replicas"] == 1
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }


def test_recreating_needs_no_numbers(deployment):
    deployment["spec"]["strategy"] = {"type": "Recreate"}

    assert defaults.apply(DEPLOYMENT, deployment)["spec"]["strategy"] == {"type": "Recreate"}


def test_zero_replicas_stay_zero(deployment):
    deployment["spec"]["replicas"] = 0

    assert defaults.apply(DEPLOYMENT, deployment)["spec"]["replicas"] == 0


def test_a_service_gets_a_type_and_ports_of_its_pods(service):
    spec = defaults.apply(SERVICE, service)["spec"]

    assert spec == {
        "selector": {"app": "web"},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }


def test_a_headless_service_says_so_twice(service):
    service["spec"]["clusterIP"] = "None"

    assert defaults.apply(SERVICE, service)["spec"]["clusterIPs"] == ["None"]


def test_an_external_name_needs_no_address():
    service = {"metadata": {"name": "db"}, "spec": {"type": "ExternalName", "externalName": "db.example.com"}}

    assert defaults.apply(SERVICE, service)["spec"] == {
        "type": "ExternalName",
        "externalName": "db.example.com",
        "sessionAffinity": "None",
    }


def test_text_of_a_secret_ends_up_in_its_data():
    secret = {"metadata": {"name": "s"}, "data": {"a": "YQ==", "b": "Yg=="}, "stringData": {"b": "new"}}

    filled = defaults.apply(kinds.by_resource("secrets"), secret)

    assert "stringData" not in filled
    assert filled["type"] == "Opaque"
    assert {k: base64.b64decode(v) for k, v in filled["data"].items()} == {"a": b"a", "b": b"new"}


def test_a_namespace_is_active_and_carries_its_name_as_a_label():
    filled = defaults.apply(kinds.by_resource("namespaces"), {"metadata": {"name": "team"}})

    assert filled["status"] == {"phase": "Active"}
    assert filled["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}


def test_ports_on_the_network_of_the_node_are_ports_of_the_node(pod):
    pod["spec"]["hostNetwork"] = True

    assert defaults.apply(POD, pod)["spec"]["containers"][0]["ports"][0]["hostPort"] == 80


def test_what_is_given_is_not_changed(pod):
    before = copy.deepcopy(pod)

    defaults.apply(POD, pod)

    assert pod == before


def test_two_objects_share_no_default(pod):
    first, second = defaults.apply(POD, pod), defaults.apply(POD, pod)

    first["spec"]["securityContext"]["runAsUser"] = 1

    assert second["spec"]["securityContext"] == {}
