from __future__ import annotations

import pytest

from app.base.clock import parse_rfc3339
from app.schemas import kinds
from app.schemas.table import render

NOW = parse_rfc3339("2026-01-31T12:00:00Z")
MADE = "2026-01-31T11:55:00Z"
POD = kinds.by_resource("pods")


def row(resource, obj):
    """The cells of one object, by column."""
    obj = {**obj, "metadata": {"name": "x", "creationTimestamp": MADE, **obj.get("metadata", {})}}
    table = render(kinds.by_resource(resource), [obj], NOW)
    return dict(zip((c["name"] for c in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))


def pod(phase, *states, meta=None, reason="", conditions=(), initial=(), ready=False):
    """A pod in a phase whose containers are in these states."""
    return {
        "metadata": meta or {},
        "spec": {
            "containers": [{"name": f"c{i}"} for i in range(len(states) or 1)],
            "initContainers": [{"name": f"i{i}"} for i in range(len(initial))],
        },
        "status": {
            "phase": phase,
            "reason": reason,
            "conditions": list(conditions),
            "containerStatuses": [
                {"name": f"c{i}", "state": state, "ready": ready, "restartCount": 0}
                for i, state in enumerate(states)
            ],
            "initContainerStatuses": [
                {"name": f"i{i}", "state": state, "restartCount": 0} for i, state in enumerate(initial)
            ],
        },
    }


RUNNING = {"running": {"startedAt": MADE}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}


@pytest.mark.parametrize(
    ("obj", "status"),
    [
        (pod("Pending"), "Pending"),
        (pod("Pending", CREATING), "ContainerCreating"),
        (pod("Running", RUNNING, ready=True), "Running"),
        (pod("Running", {"waiting": {"reason": "CrashLoopBackOff"}}), "CrashLoopBackOff"),
        (pod("Pending", {"waiting": {"reason": "ImagePullBackOff"}}), "ImagePullBackOff"),
        (pod("Succeeded", DONE), "Completed"),
        (pod("Failed", {"terminated": {"exitCode": 1, "reason": "Error"}}), "Error"),
        (pod("Failed", {"terminated": {"exitCode": 3}}), "ExitCode:3"),
        (pod("Failed", {"terminated": {"exitCode": 137, "signal": 9}}), "Signal:9"),
        (pod("Running", RUNNING, ready=True, meta={"deletionTimestamp": MADE}), "Terminating"),
        (pod("Succeeded", DONE, meta={"deletionTimestamp": MADE}), "Completed"),
        (pod("Failed", reason="Evicted"), "Evicted"),
        (pod("Running", RUNNING, meta={"deletionTimestamp": MADE}, reason="NodeLost"), "Unknown"),
        (pod("Pending", CREATING, initial=[RUNNING]), "Init:0/1"),
        (pod("Pending", CREATING, initial=[DONE, RUNNING]), "Init:1/2"),
        (
            pod("Pending", CREATING, initial=[{"terminated": {"exitCode": 1, "reason": "Error"}}]),
            "Init:Error",
        ),
        (
            pod("Pending", CREATING, initial=[{"waiting": {"reason": "CrashLoopBackOff"}}]),
            "Init:CrashLoopBackOff",
        ),
        (pod("Pending", CREATING, initial=[DONE]), "ContainerCreating"),
        (
            pod(
                "Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            ),
            "SchedulingGated",
        ),
    ],
)
def test_the_status_of_a_pod_is_one_word(obj, status):
    assert row("pods", obj)["Status"] == status


def test_restarts_tell_when_the_last_was():
    obj = pod("Running", RUNNING, ready=True)
    obj["status"]["containerStatuses"][0].update(
        restartCount=2, lastState={"terminated": {"exitCode": 1, "finishedAt": "2026-01-31T11:54:00Z"}}
    )

    assert row("pods", obj)["Restarts"] == "2 (6m ago)"


def test_a_pod_has_its_columns():
    obj = pod("Running", RUNNING, RUNNING, ready=True)
    obj["status"]["podIP"] = "10.244.1.5"
    obj["spec"]["nodeName"] = "node-1"

    assert row("pods", obj) == {
        "Name": "x",
        "Ready": "2/2",
        "Status": "Running",
        "Restarts": "0",
        "Age": "5m",
        "IP": "10.244.1.5",
        "Node": "node-1",
        "Nominated Node": "<none>",
        "Readiness Gates": "<none>",
    }


def test_a_deployment_has_its_columns():
    obj = {
        "spec": {
            "replicas": 3,
            "selector": {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "old", "operator": "DoesNotExist"}],
            },
            "template": {
                "spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}
            },
        },
        "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
    }

    assert row("deployments.apps", obj) == {
        "Name": "x",
        "Ready": "2/3",
        "Up-to-date": "3",
        "Available": "1",
        "Age": "5m",
        "Containers": "a,b",
        "Images": "a:1,b:1",
        "Selector": "!old,app=web",
    }


def test_a_service_shows_its_ports():
    obj = {
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.7",
            "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
            "selector": {"b": "2", "a": "1"},
        }
    }

    assert row("services", obj) == {
        "Name": "x",
        "Type": "NodePort",
        "Cluster-IP": "10.96.0.7",
        "External-IP": "<none>",
        "Port(s)": "80:30080/TCP,53/UDP",
        "Age": "5m",
        "Selector": "a=1,b=2",
    }


def test_a_node_says_whether_it_takes_pods():
    ready = {"type": "Ready", "status": "True"}
    assert row("nodes", {"status": {"conditions": [ready]}})["Status"] == "Ready"
    assert row("nodes", {})["Status"] == "Unknown"
    cordoned = {"spec": {"unschedulable": True}, "status": {"conditions": [{**ready, "status": "Unknown"}]}}
    assert row("nodes", cordoned)["Status"] == "NotReady,SchedulingDisabled"


def test_endpoints_beyond_three_are_only_counted():
    obj = {"subsets": [{"addresses": [{"ip": f"10.0.0.{i}"} for i in range(5)], "ports": [{"port": 80}]}]}

    assert row("endpoints", obj)["Endpoints"] == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."


def test_an_event_tells_when_it_happened_last():
    obj = {
        "involvedObject": {"kind": "Pod", "name": "web-1"},
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off restarting",
        "count": 4,
        "firstTimestamp": MADE,
        "lastTimestamp": "2026-01-31T11:59:30Z",
        "source": {"component": "agent", "host": "node-1"},
    }

    cells = row("events", obj)

    assert (cells["Last Seen"], cells["First Seen"], cells["Count"]) == ("30s", "5m", "4")
    assert (cells["Object"], cells["Source"]) == ("pod/web-1", "agent, node-1")


def test_rows_carry_what_was_asked_for():
    obj = {"metadata": {"name": "x"}, "spec": {"nodeName": "n"}}

    def carried(include):
        return render(POD, [obj], NOW, include)["rows"][0].get("object")

    assert carried("Metadata") == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": "x"},
    }
    assert carried("Object") == obj
    assert carried("None") is None


def test_only_the_first_event_of_a_watch_defines_columns():
    assert render(POD, [], NOW, header=False)["columnDefinitions"] is None
    assert render(POD, [], NOW)["columnDefinitions"][0]["format"] == "name"
