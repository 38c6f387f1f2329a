from __future__ import annotations

import base64
from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.world import pod
from workers.agent.configuring.container import container_spec, pull_policy
from workers.agent.configuring.env import environment, expand
from workers.agent.configuring.sources import ConfigError, NotYetKnown, Sources
from workers.agent.volumes.volumes import Volumes

ALLOCATABLE = {"cpu": "4", "memory": "1Gi", "ephemeral-storage": "100Gi"}
OBJECTS: dict[str, Object | None] = {
    "configmaps default/cm": {"data": {"a": "1", "b": "2"}},
    "secrets default/s": {"data": {"key": base64.b64encode(b"hush").decode()}},
    "configmaps default/none": None,
    "configmaps default/mixed": {"data": {"1.starts-with-a-digit": "x"}, "binaryData": {"b": "AA=="}},
}
SERVICES = (
    {
        "metadata": {"namespace": "default", "name": "my-db"},
        "spec": {"clusterIP": "10.96.0.9", "ports": [{"name": "sql", "port": 5432}]},
    },
    {
        "metadata": {"namespace": "other", "name": "far"},
        "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 1}]},
    },
)


def variables(server: str = "", services: tuple[Object, ...] = (), **container: Any) -> dict[str, str]:
    asked = pod(**container)
    asked["metadata"]["labels"] = {"app": "web"}
    sources = Sources(asked, OBJECTS, "10.244.1.2", "10.0.0.1", ALLOCATABLE, services)
    return environment(asked["spec"]["containers"][0], sources, server)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "x"), ("a$(A)b$(A)", "axbx"), ("$(MISSING)", "$(MISSING)"), ("$$(A)", "$(A)"), ("$", "$"),
        ("$(A", "$(A"), ("$A", "$A"), ("$$$(A)", "$x"),
    ],
)  # fmt: skip
def test_references_are_expanded_as_in_kubernetes(text: str, expanded: str) -> None:
    assert expand(text, {"A": "x"}) == expanded


def test_env_wins_over_env_from_and_may_use_what_came_before() -> None:
    found = variables(
        envFrom=[{"configMapRef": {"name": "cm"}, "prefix": "P_"}, {"configMapRef": {"name": "cm"}}],
        env=[
            {"name": "a", "value": "own"},
            {"name": "c", "value": "$(a)-$(P_b)-$(later)"},
            {"name": "later", "value": "x"},
        ],
    )
    assert found == {"P_a": "1", "P_b": "2", "a": "own", "b": "2", "c": "own-2-$(later)", "later": "x"}


def test_values_come_from_fields_resources_and_secrets() -> None:
    found = variables(
        resources={"requests": {"memory": "64Mi"}},
        env=[
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {
                "name": "MEM",
                "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}},
            },
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "key"}}},
            {"name": "NO", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k", "optional": True}}},
        ],
    )
    assert found == {"IP": "10.244.1.2", "APP": "web", "MEM": "64", "CPU": "4", "S": "hush"}


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "k"}}, 'configmap "none" not found'),
        ({"configMapKeyRef": {"name": "cm", "key": "z"}}, "couldn't find key z in ConfigMap default/cm"),
        ({"fieldRef": {"fieldPath": "spec.nothing"}}, "unsupported fieldPath: spec.nothing"),
    ],
)
def test_what_does_not_exist_is_named(origin: Object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        variables(env=[{"name": "X", "valueFrom": origin}])


def test_any_key_may_be_a_variable_but_binary_data_is_none() -> None:
    found = variables(
        envFrom=[{"configMapRef": {"name": "mixed"}}],
        env=[
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "mixed", "key": "b", "optional": True}}}
        ],
    )
    assert found == {"1.starts-with-a-digit": "x"}


def test_what_has_not_come_yet_is_no_error_of_the_pods() -> None:
    with pytest.raises(NotYetKnown):
        variables(envFrom=[{"secretRef": {"name": "coming"}}])


def test_services_of_the_namespace_and_the_api_are_told() -> None:
    found = variables(server="https://10.0.0.1:6443", services=SERVICES)
    assert found["MY_DB_SERVICE_HOST"] == "10.96.0.9"
    assert found["MY_DB_SERVICE_PORT_SQL"] == "5432"
    assert found["MY_DB_PORT_5432_TCP"] == "tcp://10.96.0.9:5432"
    assert (found["KUBERNETES_SERVICE_HOST"], found["KUBERNETES_SERVICE_PORT"]) == ("10.0.0.1", "6443")
    assert not [name for name in found if name.startswith("FAR")]


def test_commands_are_expanded_and_limits_are_handed_on(tmp_path: Any) -> None:
    asked = pod(
        command=["run", "$(NAME)"],
        env=[{"name": "NAME", "value": "me"}],
        resources={"limits": {"cpu": "500m", "memory": "1Gi"}},
        securityContext={"runAsUser": 7},
    )
    container = asked["spec"]["containers"][0]
    spec = container_spec(asked, container, 2, Sources(asked, {}), Volumes(tmp_path, asked))
    assert (spec.command, spec.args, spec.attempt) == (("run", "me"), None, 2)
    assert (spec.cpu_millis, spec.cpu_request_millis, spec.memory_bytes) == (500, 500, 1 << 30)
    assert spec.run_as_user == 7


@pytest.mark.parametrize(
    ("image", "policy"),
    [("web", "Always"), ("web:latest", "Always"), ("web:1", "IfNotPresent"), ("h:5000/web", "Always"), ("w@sha256:1", "IfNotPresent")],
)  # fmt: skip
def test_the_pull_policy_follows_from_the_tag(image: str, policy: str) -> None:
    assert pull_policy({"image": image}) == policy
