"""metrics.k8s.io as clients meet it: documents, tables, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from app.store.usage import UsageState

METRICS = "/apis/metrics.k8s.io/v1beta1"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.fixture
def busy(api: Any) -> Any:
    """A node and a pod, of which something is known."""
    api.create("/api/v1/nodes", {"metadata": {"name": "n1"}})
    spec = {"nodeName": "n1", "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]}
    pod = api.create("/api/v1/namespaces/default/pods", {"metadata": {"name": "web"}, "spec": spec})
    path = "/api/v1/namespaces/default/pods/web/status"
    merge = {"Content_Type": "application/merge-patch+json"}
    assert api.ask("PATCH", path, {"status": {"phase": "Running"}}, **merge).status_code == 200
    used = {"window": 15.0, "containers": {"a": [250_000_000, 1 << 20], "b": [1_000_000, 1 << 20]}}
    report = {"at": 1_800_000_000.0, "window": 15.0, "cpu": 2_000_000_000, "memory": 1 << 30}
    UsageState(api.store).keep({"n1": {**report, "pods": {pod["metadata"]["uid"]: used}}})
    return api


def cells(answer: Any) -> list[list[Any]]:
    return [row["cells"] for row in answer["rows"]]


def test_discovery_names_the_group_for_those_who_look_for_it(api: Any) -> None:
    (group,) = (g for g in api.get("/apis")["groups"] if g["name"] == "metrics.k8s.io")
    assert [version["version"] for version in group["versions"]] == ["v1beta1"]
    found = {each["name"]: each for each in api.get(METRICS)["resources"]}
    assert (found["pods"]["kind"], found["pods"]["namespaced"]) == ("PodMetrics", True)
    assert (found["nodes"]["kind"], found["nodes"]["namespaced"]) == ("NodeMetrics", False)
    assert found["pods"]["verbs"] == found["nodes"]["verbs"] == ["get", "list"]


def test_core_stands_before_it_so_that_pods_are_still_pods(api: Any) -> None:
    names = [item["metadata"]["name"] for item in api.get("/apis", Accept=AGGREGATED)["items"]]
    assert names[-1] == "metrics.k8s.io"


def test_a_list_is_of_one_namespace_or_of_all(busy: Any) -> None:
    everywhere, here = busy.get(f"{METRICS}/pods"), busy.get(f"{METRICS}/namespaces/default/pods")
    assert everywhere["kind"] == "PodMetricsList"
    assert everywhere["items"] == here["items"]
    assert busy.get(f"{METRICS}/namespaces/other/pods")["items"] == []
    assert busy.get(f"{METRICS}/namespaces/default/pods/web") == here["items"][0]


def test_tables_show_what_is_used_together(busy: Any) -> None:
    assert cells(busy.get(f"{METRICS}/pods", Accept=TABLE)) == [["web", "251m", "2Mi", "15s"]]
    assert cells(busy.get(f"{METRICS}/nodes/n1", Accept=TABLE)) == [["n1", "2", "1Gi", "15s"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "pods?watch=true"), ("POST", "namespaces/default/pods"), ("DELETE", "namespaces/default/pods"),
     ("DELETE", "nodes/n1"), ("PUT", "nodes/n1"), ("PATCH", "namespaces/default/pods/web")],
)  # fmt: skip
def test_it_can_only_be_read(busy: Any, method: str, path: str) -> None:
    answer = busy.ask(method, f"{METRICS}/{path}", {} if method != "GET" else None)
    assert (answer.status_code, answer.json["reason"]) == (405, "MethodNotAllowed")


def test_an_unknown_field_selector_is_refused(busy: Any) -> None:
    answer = busy.ask("GET", f"{METRICS}/pods?fieldSelector=spec.nodeName%3Dn1")
    assert answer.status_code == 400


def test_who_may_read_pods_may_not_thereby_read_what_they_use(busy: Any) -> None:
    answer = busy.ask("GET", f"{METRICS}/namespaces/default/pods", token="joe-token")
    assert answer.status_code == 403
    assert 'cannot list resource "pods" in API group "metrics.k8s.io"' in answer.json["message"]
