"""What must hold after every step, and what must hold in the end."""

from __future__ import annotations

from collections import Counter, defaultdict

from app.objects.change import Change, Object, Operation
from app.objects.meta import controller_of, is_deleting, labels
from app.objects.pods import is_ready, is_terminal, requests
from app.objects.quantity import millis, value
from app.store.store import Store
from app.store.view import View
from tests.simulation import sets, volumes
from tests.simulation.jobs import Counts
from tests.simulation.promises import Promises


class Watcher:
    """Folds the log by itself and checks each new state."""

    def __init__(self, store: Store, acknowledged: list[int]) -> None:
        self.view = View(store, history=100_000)
        self._acknowledged = acknowledged
        self._seen = 0
        self._counted = 0
        self.disturbed: set[str] = set()
        self.jobs = Counts()
        self.promises = Promises()
        self._most: dict[str, int] = {}
        self._active: dict[str, set[str]] = defaultdict(set)

    def check(self) -> None:
        self.view.catch_up()
        self._revisions()
        self._capacity()
        self._availability()
        sets.one_daemon_to_a_node(self.view)
        volumes.one_claim_to_a_volume(self.view)

    def _revisions(self) -> None:
        """Revisions have no gaps, each object carries the one it was written at, and each acknowledged write
        is in the log exactly once."""
        changes = self.view.changes_since(self._seen)
        expected = list(range(self._seen + 1, self.view.revision + 1))
        assert [change.revision for change in changes] == expected, "revisions have gaps"
        for change in changes:
            assert change.new["metadata"]["resourceVersion"] == str(change.revision)
            self._disturbances(change)
            self._surplus(change)
            self.jobs.note(change)
            self.promises.note(change)
        self._seen = self.view.revision
        fresh = self._acknowledged[self._counted :]
        self._counted = len(self._acknowledged)
        assert all(0 < revision <= self._seen for revision in fresh), (
            "an acknowledged write is not in the log"
        )
        doubled = [revision for revision, count in Counter(self._acknowledged).items() if count > 1]
        assert not doubled, f"two acknowledged writes share a revision: {doubled}"

    def _capacity(self) -> None:
        """No node carries more than it can."""
        for node in self.view.list("nodes"):
            allocatable = node.get("status", {}).get("allocatable")
            if not allocatable:
                continue
            pods = [p for p in self.view.on_node(node["metadata"]["name"]) if not is_terminal(p)]
            used = [requests(pod) for pod in pods]
            name = node["metadata"]["name"]
            assert sum(cpu for cpu, _ in used) <= millis(allocatable["cpu"]), (
                f"{name} is oversubscribed in cpu"
            )
            assert sum(memory for _, memory in used) <= value(allocatable["memory"]), f"{name}: memory"
            assert len(pods) <= int(allocatable["pods"]), f"{name} has too many pods"

    def _availability(self) -> None:
        """A Deployment that was all up stays at its minimum while nothing but updates happens to it.

        `disturbed` names (as `namespace/name`) those to which something else happened, until they are at rest
        again: decisions that were made before it may still be under way.
        """
        for deployment in self.view.list("deployments.apps"):
            key = f"{deployment['metadata']['namespace']}/{deployment['metadata']['name']}"
            wanted = deployment["spec"]["replicas"]
            up = sum(1 for pod in self.pods_of(deployment) if is_ready(pod) and not is_deleting(pod))
            if is_deleting(deployment) or key in self.disturbed:
                if not is_deleting(deployment) and up >= wanted and self._at_rest(deployment):
                    self.disturbed.discard(key)
                continue
            assert up >= minimum_available(deployment), f"{key}: {up} of {wanted} available in an update"

    def _at_rest(self, deployment: Object) -> bool:
        """Whether each of its sets has the pods that it wants, and no more are wanted."""
        found = self.view.owned("replicasets.apps", deployment["metadata"]["uid"])
        full = all(s["spec"]["replicas"] == len(self.view.owned("pods", s["metadata"]["uid"])) for s in found)
        return full and sum(s["spec"]["replicas"] for s in found) == deployment["spec"]["replicas"]

    def _disturbances(self, change: Change) -> None:
        """Note what is no update: a Deployment that is new or was scaled, a pod that failed, lost its node, or
        that somebody other than its ReplicaSet deleted."""
        old, new = change.old, change.new
        if change.resource == "deployments.apps":
            if old is None or old["spec"]["replicas"] != new["spec"]["replicas"]:
                self.disturbed.add(change.key)
        elif change.resource == "pods" and old is not None and is_ready(old):
            failed = not is_ready(new) and not is_deleting(old)
            deleted = change.operation is Operation.DELETED or (is_deleting(new) and not is_deleting(old))
            if failed or (deleted and change.actor != "replicaset-controller"):
                self.disturbed.add(f"{new['metadata']['namespace']}/{labels(new).get('app', '')}")

    def _surplus(self, change: Change) -> None:
        """No ReplicaSet ever has more pods than it was asked for, which two workers at once would make."""
        new = change.new
        if change.resource == "replicasets.apps":
            uid = new["metadata"]["uid"]
            self._most[uid] = max(self._most.get(uid, 0), new["spec"]["replicas"])
        elif change.resource == "pods":
            controller = controller_of(new) or {}
            owner = controller.get("uid", "") if controller.get("kind") == "ReplicaSet" else ""
            gone = change.operation is Operation.DELETED or is_deleting(new) or is_terminal(new)
            (self._active[owner].discard if gone else self._active[owner].add)(change.key)
            if owner and change.operation is Operation.ADDED:
                most = self._most.get(owner, 0)
                assert len(self._active[owner]) <= most, (
                    f"{change.key} is one pod more than the {most} asked for"
                )

    def pods_of(self, deployment: Object) -> list[Object]:
        found = []
        for replica_set in self.view.owned("replicasets.apps", deployment["metadata"]["uid"]):
            found += self.view.owned("pods", replica_set["metadata"]["uid"])
        return found


def minimum_available(deployment: Object) -> int:
    """How many pods an update must leave available (`maxUnavailable`, rounded down as Kubernetes does)."""
    wanted = int(deployment["spec"]["replicas"])
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0
    rolling = strategy.get("rollingUpdate") or {}
    unavailable = _share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if unavailable == 0 and _share(rolling.get("maxSurge", "25%"), wanted, up=True) == 0:
        unavailable = 1
    return max(0, wanted - unavailable)


def _share(value: int | str, whole: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%")) * whole
    return -(-percent // 100) if up else percent // 100


def converged(view: View) -> list[str]:
    """What is not yet as declared; empty in the end."""
    wrong = []
    owners = {obj["metadata"]["uid"] for resource in view.resources() for obj in view.list(resource)}
    for resource in view.resources():
        for obj in view.list(resource):
            name = f"{resource} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
            if is_deleting(obj) and not volumes.is_mounted(view, resource, obj):
                wrong.append(f"{name} is still on its way out")
            for ref in obj["metadata"].get("ownerReferences") or ():
                if ref["uid"] not in owners:
                    wrong.append(f"{name} is an orphan of {ref['kind']} {ref['name']}")
    for deployment in view.list("deployments.apps"):
        wrong += _deployment(view, deployment)
    wrong += sets.converged(view)
    for service in view.list("services"):
        wrong += _endpoints(view, service)
    for node in view.list("nodes"):
        if not any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"]):
            wrong.append(f"node {node['metadata']['name']} is not Ready")
    return wrong


def _deployment(view: View, deployment: Object) -> list[str]:
    name = f"deployment {deployment['metadata']['name']}"
    wanted = deployment["spec"]["replicas"]
    status = deployment.get("status") or {}
    sets = view.owned("replicasets.apps", deployment["metadata"]["uid"])
    pods = [pod for s in sets for pod in view.owned("pods", s["metadata"]["uid"])]
    wrong = []
    if status.get("observedGeneration") != deployment["metadata"]["generation"]:
        wrong.append(f"{name}: its generation was not observed")
    if deployment["spec"].get("paused"):
        return wrong
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    ready = [p for p in pods if is_ready(p) and p["spec"]["containers"][0]["image"] == image]
    if len(pods) != wanted or len(ready) != wanted:
        wrong.append(f"{name}: {len(ready)} ready of {len(pods)} pods, wanted {wanted}")
    for field in ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"):
        if (status.get(field) or 0) != wanted:
            wrong.append(f"{name}: status.{field} is {status.get(field)}, wanted {wanted}")
    return wrong


def _endpoints(view: View, service: Object) -> list[str]:
    selector = service["spec"].get("selector")
    if not selector:
        return []
    namespace = service["metadata"]["namespace"]
    expected = {
        pod["status"]["podIP"]
        for pod in view.list("pods", namespace)
        if is_ready(pod) and selector.items() <= (pod["metadata"].get("labels") or {}).items()
    }
    listed: dict[str, int] = defaultdict(int)
    for piece in view.list("endpointslices.discovery.k8s.io", namespace):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service["metadata"][
            "name"
        ]:
            for endpoint in piece.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready"):
                    listed[endpoint["addresses"][0]] += 1
    if set(listed) != expected or any(count > 1 for count in listed.values()):
        return [
            f"service {service['metadata']['name']}: endpoints {sorted(listed)} instead of {sorted(expected)}"
        ]
    return []
