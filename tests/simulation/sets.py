"""StatefulSets and DaemonSets in a simulated cluster: what people do to them, and what must hold of them."""

from __future__ import annotations

from collections import Counter

from app.objects.change import Object
from app.objects.meta import is_deleting
from app.objects.pods import is_ready
from app.store.view import View
from tests.simulation import volumes
from tests.simulation.chance import Chance

STATEFUL = "db"
DAEMON = "log"
IMAGES = ("disk:1", "disk:2", "disk:3")


def _template(name: str, image: str) -> Object:
    container = {
        "name": "main",
        "image": image,
        "command": ["serve"],
        "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1},
    }
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]},
    }


def stateful_set(chance: Chance) -> Object:
    spec: Object = {
        "replicas": chance.randrange(4),
        "serviceName": STATEFUL,
        "podManagementPolicy": chance.choice(["OrderedReady", "Parallel"]),
        "selector": {"matchLabels": {"app": STATEFUL}},
        "template": _template(STATEFUL, IMAGES[0]),
    }
    if chance.happens(0.8):
        spec["template"]["spec"]["containers"][0]["volumeMounts"] = [volumes.MOUNT]
        spec["volumeClaimTemplates"] = [volumes.claim_template()]
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": STATEFUL}, "spec": spec}


def daemon_set() -> Object:
    spec = {
        "selector": {"matchLabels": {"app": DAEMON}},
        "template": _template(DAEMON, IMAGES[0]),
        "revisionHistoryLimit": 2,
    }
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": DAEMON}, "spec": spec}


def patch(chance: Chance, kind: str) -> Object:
    """A change that somebody makes to a set."""
    spec: Object = {"template": {"spec": {"containers": [{"name": "main", "image": chance.choice(IMAGES)}]}}}
    if kind == "StatefulSet" and chance.happens(0.5):
        spec = {"replicas": chance.randrange(4)}
    return {"spec": spec}


def one_daemon_to_a_node(view: View) -> None:
    """Without surge no node ever has two pods of a DaemonSet, not even one that is terminating beside another."""
    for found in view.list("daemonsets.apps"):
        nodes: Counter[str] = Counter()
        for pod in view.owned("pods", found["metadata"]["uid"]):
            affinity = pod["spec"]["affinity"]["nodeAffinity"][
                "requiredDuringSchedulingIgnoredDuringExecution"
            ]
            nodes[affinity["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]] += 1
        assert not nodes or max(nodes.values()) == 1, f"two pods of a DaemonSet on a node: {nodes}"


def converged(view: View) -> list[str]:
    """What is not yet as declared; empty in the end."""
    wrong: list[str] = []
    for found in view.list("statefulsets.apps"):
        wanted = {f"{found['metadata']['name']}-{i}" for i in range(found["spec"]["replicas"])}
        wrong += _set(view, found, wanted)
        status = found.get("status") or {}
        if any(
            (status.get(f) or 0) != len(wanted) for f in ("replicas", "availableReplicas", "updatedReplicas")
        ):
            wrong.append(f"statefulset {found['metadata']['name']}: status {status}, wanted {len(wanted)}")
        if status.get("currentRevision") != status.get("updateRevision"):
            wrong.append(f"statefulset {found['metadata']['name']}: its update is not through")
    for found in view.list("daemonsets.apps"):
        wrong += _set(view, found, None)
        nodes = len(view.keys("nodes"))
        status = found.get("status") or {}
        counts = ("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled")
        if any((status.get(field) or 0) != nodes for field in counts):
            wrong.append(f"daemonset {found['metadata']['name']}: status {status}, wanted {nodes}")
        if sorted(p["spec"].get("nodeName", "") for p in _pods(view, found)) != sorted(view.keys("nodes")):
            wrong.append(f"daemonset {found['metadata']['name']}: not one pod on each node")
    return wrong


def _pods(view: View, found: Object) -> list[Object]:
    return view.owned("pods", found["metadata"]["uid"])


def _set(view: View, found: Object, names: set[str] | None) -> list[str]:
    who = f"{found['kind'].lower()} {found['metadata']['name']}"
    wrong = []
    members = _pods(view, found)
    if names is not None and {p["metadata"]["name"] for p in members} != names:
        wrong.append(f"{who}: pods {[p['metadata']['name'] for p in members]}, wanted {sorted(names)}")
    wanted = found["spec"]["template"]["spec"]["containers"][0]["image"]
    for pod in members:
        if not is_ready(pod) or is_deleting(pod) or pod["spec"]["containers"][0]["image"] != wanted:
            wrong.append(f"{who}: {pod['metadata']['name']} is not ready, or not of the newest template")
    limit = found["spec"].get("revisionHistoryLimit", 10)
    if len(view.owned("controllerrevisions.apps", found["metadata"]["uid"])) > limit + 1:
        wrong.append(f"{who}: more revisions than it keeps")
    return wrong
