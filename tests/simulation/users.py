"""What people do to a simulated cluster, in their own time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from app.base.errors import ApiError
from app.objects.change import Object
from app.registry.registry import Registry
from app.registry.request import DeleteOptions, Request
from app.schemas import kinds
from tests.simulation import jobs, sets
from tests.simulation.chance import Chance
from tests.simulation.operators import Operator
from tests.simulation.workloads import deployment, headless, service

NAMES = ("web", "api", "jobs")
IMAGES = ("shop:1", "shop:2", "shop:3")


class User:
    """Makes API requests, as an administrator."""

    def __init__(self, registry: Registry, chance: Chance, operator: Operator) -> None:
        self._registry = registry
        self._chance = chance
        self._operator = operator

    def act(self) -> str:
        """Do one thing; what it was."""
        actions: list[tuple[float, Callable[[], str]]] = [
            (4, self.make),
            (5, self.scale),
            (6, self.update),
            (1, self.remove),
            (3, self.delete_pod),
            (1, self.pause_or_resume),
            (1, self.cordon_or_uncordon),
            (1, self.make_sets),
            (3, self.change_a_set),
            (0.3, self.remove_a_set),
            (3, self.remove_a_claim),
            (2, self.make_a_job),
            (0.5, self.remove_a_job),
            *self._operator.actions(),
        ]
        (act,) = self._chance.choices([a for _, a in actions], [weight for weight, _ in actions])
        try:
            return act()
        except ApiError as exc:
            return f"refused: {exc.message[:80]}"

    def make(self) -> str:
        name = self._chance.choice(NAMES)
        strategy = self._chance.choice(
            [
                None,
                {"type": "Recreate"},
                {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
                {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}},
            ]
        )
        self._create("Deployment", "apps", deployment(name, self._chance.randrange(7), IMAGES[0], strategy))
        self._create("Service", "", service(name))
        return f"made {name}"

    def scale(self) -> str:
        name, replicas = self._chance.choice(NAMES), self._chance.randrange(9)
        self._patch(name, {"spec": {"replicas": replicas}})
        return f"scaled {name} to {replicas}"

    def update(self) -> str:
        name, image = self._chance.choice(NAMES), self._chance.choice(IMAGES)
        template = {"spec": {"containers": [{"name": "main", "image": image}]}}
        self._patch(name, {"spec": {"template": template}}, "application/strategic-merge-patch+json")
        return f"set the image of {name} to {image}"

    def pause_or_resume(self) -> str:
        name, paused = self._chance.choice(NAMES), self._chance.happens(0.3)
        self._patch(name, {"spec": {"paused": paused}})
        return f"{'paused' if paused else 'resumed'} {name}"

    def remove(self) -> str:
        name = self._chance.choice(NAMES)
        how = self._chance.choice(["Background", "Foreground"])
        kind = kinds.by_kind("apps", "Deployment")
        assert kind is not None
        self._registry.delete(self._request(), kind, "default", name, DeleteOptions(propagation=how))
        return f"deleted {name} ({how})"

    def delete_pod(self) -> str:
        pods = self._view().list("pods", "default")
        if not pods:
            return "found no pod to delete"
        pod = self._chance.choice(pods)
        kind = kinds.by_kind("", "Pod")
        assert kind is not None
        grace = self._chance.choice([None, 0, 1])
        self._registry.delete(
            self._request(), kind, "default", pod["metadata"]["name"], DeleteOptions(grace=grace)
        )
        return f"deleted pod {pod['metadata']['name']} (grace {grace})"

    def cordon_or_uncordon(self) -> str:
        nodes = self._view().keys("nodes")
        if not nodes:
            return "found no node"
        name, cordoned = self._chance.choice(nodes), self._chance.happens(0.3)
        self._patch(name, {"spec": {"unschedulable": cordoned or None}}, resource=("", "Node"))
        return f"{'cordoned' if cordoned else 'uncordoned'} {name}"

    def make_sets(self) -> str:
        with suppress(ApiError):
            self._create("StatefulSet", "apps", sets.stateful_set(self._chance))
            self._create("Service", "", headless(sets.STATEFUL))
        self._create("DaemonSet", "apps", sets.daemon_set())
        return "made the sets"

    def change_a_set(self) -> str:
        kind = self._chance.choice(["StatefulSet", "DaemonSet"])
        name = sets.STATEFUL if kind == "StatefulSet" else sets.DAEMON
        patch = sets.patch(self._chance, kind)
        self._patch(name, patch, "application/strategic-merge-patch+json", resource=("apps", kind))
        return f"changed {kind} {name}: {patch}"

    def remove_a_set(self) -> str:
        how = self._chance.choice(["Background", "Foreground", "Orphan"])
        name, plural = self._chance.choice([(sets.STATEFUL, "StatefulSet"), (sets.DAEMON, "DaemonSet")])
        kind = kinds.by_kind("apps", plural)
        assert kind is not None
        self._registry.delete(self._request(), kind, "default", name, DeleteOptions(propagation=how))
        return f"deleted {name} ({how})"

    def remove_a_claim(self) -> str:
        """A claim goes once no pod mounts it any more, and its data with it."""
        number = self._chance.randrange(4)
        name = f"data-{sets.STATEFUL}-{number}"
        kind = kinds.by_resource("persistentvolumeclaims")
        self._registry.delete(self._request(), kind, "default", name, DeleteOptions())
        return f"deleted claim {name}"

    def make_a_job(self) -> str:
        name = self._chance.choice(jobs.NAMES)
        self._create("Job", "batch", jobs.job(self._chance, name))
        return f"made job {name}"

    def remove_a_job(self) -> str:
        name, how = (
            self._chance.choice(jobs.NAMES),
            self._chance.choice(["Background", "Foreground", "Orphan"]),
        )
        kind = kinds.by_kind("batch", "Job")
        assert kind is not None
        self._registry.delete(self._request(), kind, "default", name, DeleteOptions(propagation=how))
        return f"deleted job {name} ({how})"

    def settle(self) -> None:
        """Undo whatever keeps a cluster from coming to rest."""
        self._operator.settle()
        for key in self._view().keys("deployments.apps"):
            self._patch(key.partition("/")[2], {"spec": {"paused": None}})
        for name in self._view().keys("nodes"):
            self._patch(name, {"spec": {"unschedulable": None}}, resource=("", "Node"))

    def _view(self):
        self._registry.view.catch_up()
        return self._registry.view

    def _request(self) -> Request:
        return Request(user="jane", groups=("system:masters",), trace=self._registry.ids.trace())

    def _create(self, kind_name: str, group: str, obj: Object) -> None:
        kind = kinds.by_kind(group, kind_name)
        assert kind is not None
        self._registry.create(self._request(), kind, "default", obj)

    def _patch(
        self, name: str, patch: Object, content_type: str = "application/merge-patch+json",
        resource: tuple[str, str] = ("apps", "Deployment"),
    ) -> None:  # fmt: skip
        kind = kinds.by_kind(*resource)
        assert kind is not None
        namespace = "default" if kind.namespaced else ""
        self._registry.patch(self._request(), kind, namespace, name, patch, content_type)
