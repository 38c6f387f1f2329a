"""A cluster in a dictionary: a ReadView that plans can be run against, with what the shell does to
their writes, and work routed by the roles' interests. No store, no threads, a clock that is moved."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from app.base.clock import rfc3339
from app.base.ids import RandomIds
from app.objects.change import Change, Object, Operation, Trace, Verb, Write, key_of, revision_of, split_key
from app.objects.meta import complete
from workers.reconcile.plan import EventNote, Plan, Role
from workers.reconcile.prepare import prepare

START = 1_800_000_000.0
WHERE = {
    "pods": ("v1", "Pod"),
    "nodes": ("v1", "Node"),
    "resourcequotas": ("v1", "ResourceQuota"),
    "secrets": ("v1", "Secret"),
    "services": ("v1", "Service"),
    "certificatesigningrequests.certificates.k8s.io": (
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
    ),
    "namespaces": ("v1", "Namespace"),
    "serviceaccounts": ("v1", "ServiceAccount"),
    "configmaps": ("v1", "ConfigMap"),
    "endpoints": ("v1", "Endpoints"),
    "events": ("v1", "Event"),
    "leases.coordination.k8s.io": ("coordination.k8s.io/v1", "Lease"),
    "endpointslices.discovery.k8s.io": ("discovery.k8s.io/v1", "EndpointSlice"),
    "replicasets.apps": ("apps/v1", "ReplicaSet"),
    "deployments.apps": ("apps/v1", "Deployment"),
    "jobs.batch": ("batch/v1", "Job"),
    "cronjobs.batch": ("batch/v1", "CronJob"),
    "horizontalpodautoscalers.autoscaling": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "poddisruptionbudgets.policy": ("policy/v1", "PodDisruptionBudget"),
    "pods.metrics.k8s.io": ("metrics.k8s.io/v1beta1", "PodMetrics"),
    "statefulsets.apps": ("apps/v1", "StatefulSet"),
    "daemonsets.apps": ("apps/v1", "DaemonSet"),
    "controllerrevisions.apps": ("apps/v1", "ControllerRevision"),
    "replicationcontrollers": ("v1", "ReplicationController"),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim"),
    "customresourcedefinitions.apiextensions.k8s.io": ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    "crontabs.example.com": ("example.com/v1", "CronTab"),
}


class World:
    """The cluster and the time. Everything put in or planned goes through `commit`."""

    def __init__(self, roles: Iterable[Role] = (), seed: int = 1) -> None:
        self.roles = {role.name: role for role in roles}
        self.ids = RandomIds(seed)
        self.random = random.Random(seed)
        self.now = START
        self.revision = 0
        self.objects: dict[str, dict[str, Object]] = defaultdict(dict)
        self.queue: dict[tuple[str, str], None] = {}
        self.due: dict[tuple[str, str], float] = {}
        self.events: list[EventNote] = []
        self.reasons: list[str] = []
        self.on_change: Callable[[Change], None] | None = None
        self._index: dict[Any, Any] = {}
        self._indexed_at = -1

    # As ReadView

    def get(self, resource: str, key: str) -> Object | None:
        return self.objects[resource].get(key)

    def keys(self, resource: str, namespace: str | None = None) -> list[str]:
        def make() -> list[str]:
            return sorted(
                k for k in self.objects[resource] if namespace is None or split_key(k)[0] == namespace
            )

        return list(self._cached(("keys", resource, namespace), make))

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        objects = self.objects[resource]
        return [objects[key] for key in self.keys(resource, namespace)]

    def owned(self, resource: str, uid: str) -> list[Object]:
        return [self.objects[res][key] for res, key in self.dependents(uid) if res == resource]

    def dependents(self, uid: str) -> list[tuple[str, str]]:
        def make() -> dict[str, list[tuple[str, str]]]:
            index: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for resource, objects in self.objects.items():
                for key in sorted(objects):
                    for reference in objects[key]["metadata"].get("ownerReferences") or ():
                        index[reference["uid"]].append((resource, key))
            return index

        return list(self._cached("dependents", make).get(uid, ()))

    def on_node(self, node: str) -> list[Object]:
        def make() -> dict[str, list[Object]]:
            index: dict[str, list[Object]] = defaultdict(list)
            for pod in self.list("pods"):
                index[pod["spec"].get("nodeName") or ""].append(pod)
            return index

        return list(self._cached("on_node", make).get(node, ()))

    def any_on(self, node: str) -> bool:
        return bool(self.on_node(node))

    def resources(self) -> list[str]:
        return [resource for resource, objects in self.objects.items() if objects]

    def _cached(self, name: Any, make: Callable[[], Any]) -> Any:
        if self._indexed_at != self.revision:
            self._index.clear()
            self._indexed_at = self.revision
        if name not in self._index:
            self._index[name] = make()
        return self._index[name]

    # What the shell and the store do

    def commit(self, writes: Iterable[Write], actor: str = "user") -> list[Write]:
        """Commit each write whose precondition holds; returns the others."""
        rejected = []
        for write in prepare(writes, self, self.now, self.ids):
            old = self.get(write.resource, write.key)
            if (write.verb is Verb.CREATE) != (old is None):
                rejected.append(write)
                continue
            if old is not None and write.expect is not None and revision_of(old) != write.expect:
                rejected.append(write)
                continue
            self._commit_one(write, old, actor)
        return rejected

    def _commit_one(self, write: Write, old: Object | None, actor: str) -> None:
        self.revision += 1
        meta = {**write.obj["metadata"], "resourceVersion": str(self.revision)}
        obj = {**write.obj, "metadata": meta}
        if write.verb is Verb.DELETE:
            del self.objects[write.resource][write.key]
            operation = Operation.DELETED
        else:
            self.objects[write.resource][write.key] = obj
            operation = Operation.ADDED if old is None else Operation.MODIFIED
        change = Change(
            self.revision, operation, write.resource, write.key, old, obj, actor, Trace("t"), self.now
        )
        for role in self.roles.values():
            for interest in role.interests:
                if interest.resource in ("*", write.resource):
                    for key in interest.keys(change, self):
                        self.queue[role.name, key] = None
        if self.on_change is not None:
            self.on_change(change)

    def plan(self, role: Role | str, key: str) -> Plan:
        found = self.roles[role] if isinstance(role, str) else role
        return found.plan(self, key, self.now)

    def run(self, role: Role | str, key: str) -> Plan:
        """One plan, committed."""
        found = self.roles[role] if isinstance(role, str) else role
        plan = found.plan(self, key, self.now)
        self.carry_out(found.name, key, plan)
        return plan

    def carry_out(self, name: str, key: str, plan: Plan) -> None:
        rejected = self.commit(plan.writes, name)
        self.events.extend(plan.events)
        if plan.reason:
            self.reasons.append(f"{name} {key}: {plan.reason}")
        if rejected:
            self.queue[name, key] = None
        if plan.requeue_after is not None:
            self.due[name, key] = self.now + plan.requeue_after
        else:
            self.due.pop((name, key), None)

    def step(self, *, shuffled: bool = False) -> bool:
        """Run one piece of waiting work; False if there is none."""
        if not self.queue:
            return False
        work = self.random.choice(list(self.queue)) if shuffled else next(iter(self.queue))
        del self.queue[work]
        self.run(*work)
        return True

    def settle(self, most: int = 2000) -> None:
        """Run all work until none is left; due work is left for `advance`."""
        for _ in range(most):
            if not self.step():
                return
        raise AssertionError("never settles: " + "; ".join(self.reasons[-10:]))

    def advance(self, seconds: float) -> None:
        """Let time pass, running what falls due on the way."""
        end = self.now + seconds
        while True:
            ready = sorted((at, work) for work, at in self.due.items() if at <= end)
            if not ready:
                break
            at, work = ready[0]
            self.now = max(self.now, at)
            del self.due[work]
            self.queue[work] = None
            self.settle()
        self.now = end

    # What a user and an agent do

    def put(self, resource: str, obj: Object) -> Object:
        """Create the object, or replace it."""
        api_version, kind = WHERE[resource]
        obj = {"apiVersion": api_version, "kind": kind, **obj}
        if obj["metadata"].get("name") and self.get(resource, key_of(obj)) is not None:
            old = self.objects[resource][key_of(obj)]
            meta = {**old["metadata"], **obj["metadata"]}
            write = Write(Verb.UPDATE, resource, key_of(obj), {**obj, "metadata": meta})
        else:
            obj = complete(obj, self.now, self.ids)
            write = Write(Verb.CREATE, resource, key_of(obj), obj)
        before = self.revision
        rejected = self.commit([write])
        assert not rejected, rejected
        assert self.revision >= before
        found = self.get(resource, write.key)
        return found if found is not None else obj

    def edit(self, resource: str, key: str, change: Callable[[Object], None]) -> Object:
        """Change a copy of an object in place, and write it."""
        copy = _copied(self.objects[resource][key])
        change(copy)
        return self.put(resource, copy)

    def remove(self, resource: str, key: str) -> None:
        """The object is gone for good, as when an agent is done with a pod."""
        self.commit([Write(Verb.DELETE, resource, key, self.objects[resource][key])])

    def make_ready(self, key: str, address: str = "") -> None:
        """The pod runs and is ready."""
        number = self.revision

        def change(pod: Object) -> None:
            pod["status"].update(
                phase="Running",
                podIP=address
                or pod["status"].get("podIP")
                or f"10.244.{number // 250 % 250}.{number % 250 + 1}",
                conditions=[
                    {"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(self.now)},
                ],
            )

        self.edit("pods", key, change)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_copied(v) for v in value]
    return value


def pod_template(image: str = "web:1", app: str = "web", **spec: Any) -> Object:
    containers = [
        {"name": "main", "image": image, "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
    ]
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": containers, "restartPolicy": "Always", **spec},
    }


def deployment(name: str = "web", replicas: int = 3, image: str = "web:1", **spec: Any) -> Object:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": pod_template(image, name),
            "strategy": strategy,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


def replica_set(name: str = "web", replicas: int = 3, **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": pod_template(app=name),
            **spec,
        },
    }


def stateful_set(name: str = "web", replicas: int = 3, image: str = "web:1", **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": pod_template(image, name),
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


def daemon_set(name: str = "log", image: str = "log:1", **spec: Any) -> Object:
    rolling = {"maxUnavailable": 1, "maxSurge": 0}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": pod_template(image, name),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


def node(name: str, cpu: str = "4", memory: str = "8Gi", pods: str = "110", **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": pods},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": rfc3339(START)}],
        },
    }


def pod(name: str, node_name: str = "", app: str = "web", **spec: Any) -> Object:
    full = {**pod_template(app=app)["spec"], **spec}
    if node_name:
        full["nodeName"] = node_name
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
        "spec": full,
        "status": {"phase": "Pending"},
    }
