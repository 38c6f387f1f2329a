"""What the more careful users of a simulated cluster do: quotas, budgets, applies, definitions and schedules."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from app.base.errors import ApiError
from app.objects.change import Object
from app.registry.registry import Registry
from app.registry.request import DeleteOptions, Request
from app.schemas import kinds
from app.schemas.kinds import Kind
from tests import definitions
from tests.simulation.chance import Chance
from tests.simulation.workloads import deployment

TEAM = "team"
MANY = "many"
# What the team's quota allows.
MOST_PODS = 5
MOST_MAPS = 4
GUARDED = "guarded"
LEAST = 2
SHARED = "shared"
MANAGERS = ("red", "blue")
EDITOR = "jane"
EVICTOR = "drain"
CRON = "tick"

Action = tuple[float, Callable[[], str]]


class Operator:
    """Makes API requests through a process of the API of their own."""

    def __init__(self, registry: Registry, chance: Chance) -> None:
        self._registry = registry
        self._chance = chance
        # What the operators of this world care about most.
        self._topic = chance.choice(list(self._topics()))

    def actions(self) -> list[Action]:
        """What can be done, and how often it is."""
        return [
            (weight * (10 if topic == self._topic else 0.5), act)
            for topic, actions in self._topics().items()
            for weight, act in actions
        ]

    def _topics(self) -> dict[str, list[Action]]:
        return {
            "nothing": [],
            "quotas": [(1, self.share_out), (3, self.scale_many), (2, self.note)],
            "budgets": [(1, self.guard), (5, self.evict)],
            "owners": [(4, self.apply), (1, self.edit)],
            "definitions": [(1, self.define), (2, self.instantiate), (0.4, self.undefine)],
            "schedules": [(0.6, self.schedule), (0.2, self.unschedule)],
        }

    def act(self) -> str:
        """Do one thing; what it was."""
        actions = self.actions()
        (act,) = self._chance.choices([a for _, a in actions], [weight for weight, _ in actions])
        try:
            return act()
        except ApiError as exc:
            return f"refused: {exc.message[:80]}"

    def share_out(self) -> str:
        """A namespace with a quota, and a ReplicaSet in it that may ask for more."""
        with suppress(ApiError):
            self._create("Namespace", "", {"metadata": {"name": TEAM}}, "")
        hard = {"pods": str(MOST_PODS), "count/configmaps": str(MOST_MAPS)}
        with suppress(ApiError):
            self._create("ResourceQuota", "", {"metadata": {"name": "share"}, "spec": {"hard": hard}}, TEAM)
        self._create("ReplicaSet", "apps", many(self._chance.randrange(9)), TEAM)
        return "shared out a namespace"

    def scale_many(self) -> str:
        replicas = self._chance.randrange(9)
        patch = {"spec": {"replicas": replicas}}
        self._registry.patch(self._request(), _kind("apps", "ReplicaSet"), TEAM, MANY, patch, _MERGE)
        return f"scaled {MANY} to {replicas}"

    def note(self) -> str:
        name = f"note-{self._chance.randrange(6)}"
        if self._chance.happens(0.4):
            self._delete("ConfigMap", "", TEAM, name)
            return f"deleted {name}"
        self._create("ConfigMap", "", {"metadata": {"name": name}}, TEAM)
        return f"made {name}"

    def guard(self) -> str:
        """A Deployment, and a budget for its pods."""
        with suppress(ApiError):
            self._create("Deployment", "apps", deployment(GUARDED, LEAST + 2, "guarded:1", None, cpu="10m"))
        spec = {"minAvailable": LEAST, "selector": {"matchLabels": {"app": GUARDED}}}
        self._create("PodDisruptionBudget", "policy", {"metadata": {"name": GUARDED}, "spec": spec})
        return f"guarded {GUARDED}"

    def evict(self) -> str:
        self._registry.view.catch_up()
        labelled = [
            pod["metadata"]["name"]
            for pod in self._registry.view.list("pods", "default")
            if (pod["metadata"].get("labels") or {}).get("app") == GUARDED
        ]
        if not labelled:
            return "found nothing to evict"
        name = self._chance.choice(labelled)
        self._registry.evict(self._request(EVICTOR), "default", name, {"metadata": {"name": name}})
        return f"evicted {name}"

    def apply(self) -> str:
        """One of two managers says how its fields are to be; sometimes it wants the other's."""
        who, other = self._chance.sample(MANAGERS, 2)
        data = {who: str(self._chance.randrange(100)), f"{who}-more": str(self._chance.randrange(3))}
        if self._chance.happens(0.3):
            del data[f"{who}-more"]
        if self._chance.happens(0.2):
            data[other] = who
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SHARED}, "data": data}
        request = self._request(who)
        request.field_manager = who
        self._registry.apply(request, _kind("", "ConfigMap"), "default", SHARED, config)
        return f"applied {data} as {who}"

    def edit(self) -> str:
        data = {self._chance.choice([*MANAGERS, "own"]): self._chance.choice(["x", "y", None])}
        kind = _kind("", "ConfigMap")
        self._registry.patch(self._request(), kind, "default", SHARED, {"data": data}, _MERGE)
        return f"edited {data}"

    def define(self) -> str:
        self._create("CustomResourceDefinition", "apiextensions.k8s.io", definitions.definition(), "")
        return "made a definition"

    def instantiate(self) -> str:
        kind = self._registry.catalog.find("example.com", "v1", "crontabs")
        if kind is None:
            return "found no definition"
        name = f"instance-{self._chance.randrange(4)}"
        self._registry.create(self._request(), kind, "default", definitions.crontab(name))
        return f"made {name}"

    def undefine(self) -> str:
        self._delete("CustomResourceDefinition", "apiextensions.k8s.io", "", definitions.CRONTABS)
        return "deleted the definition"

    def schedule(self) -> str:
        self._create("CronJob", "batch", cron_job(self._chance))
        return f"scheduled {CRON}"

    def unschedule(self) -> str:
        how = self._chance.choice(["Background", "Foreground"])
        self._delete("CronJob", "batch", "default", CRON, how)
        return f"unscheduled {CRON} ({how})"

    def settle(self) -> None:
        """Nothing begins by itself any more."""
        with suppress(ApiError):
            kind, patch = _kind("batch", "CronJob"), {"spec": {"suspend": True}}
            self._registry.patch(self._request(), kind, "default", CRON, patch, _MERGE)

    def _request(self, user: str = EDITOR) -> Request:
        return Request(user=user, groups=("system:masters",), trace=self._registry.ids.trace())

    def _create(self, name: str, group: str, obj: Object, namespace: str = "default") -> None:
        self._registry.create(self._request(), _kind(group, name), namespace, obj)

    def _delete(self, name: str, group: str, namespace: str, key: str, how: str = "Background") -> None:
        options = DeleteOptions(propagation=how)  # type: ignore[arg-type]
        self._registry.delete(self._request(), _kind(group, name), namespace, key, options)


_MERGE = "application/merge-patch+json"


def _kind(group: str, name: str) -> Kind:
    kind = kinds.by_kind(group, name)
    assert kind is not None
    return kind


def many(replicas: int) -> Object:
    container = {"name": "main", "image": "many:1", "command": ["serve"]}
    template = {
        "metadata": {"labels": {"app": MANY}},
        "spec": {"terminationGracePeriodSeconds": 2, "containers": [container]},
    }
    selector = {"matchLabels": {"app": MANY}}
    return {
        "metadata": {"name": MANY},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def cron_job(chance: Chance) -> Object:
    ends = {
        "simulated.beanpole.dev/crash-after": chance.choice(["1", "20"]),
        "simulated.beanpole.dev/exit-code": "0",
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        "containers": [{"name": "main", "image": "batch:1"}],
    }
    template = {"spec": {"template": {"metadata": {"annotations": ends}, "spec": pod}}}
    spec = {
        "schedule": "* * * * *",
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 2,
        "jobTemplate": template,
    }
    return {"metadata": {"name": CRON}, "spec": spec}
