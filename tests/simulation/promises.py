"""What quotas, budgets, owners of fields, definitions and schedules promise, checked change by change."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from app.objects import jobs
from app.objects.change import Change, Object, Operation
from app.objects.meta import controller_of, is_deleting, labels
from app.objects.pods import is_ready, is_terminal
from app.store.view import View
from tests import definitions
from tests.simulation import operators
from tests.simulation.operators import EVICTOR, GUARDED, LEAST, MANAGERS, MANY, MOST_MAPS, MOST_PODS, TEAM

INSTANCES = "crontabs.example.com"
BUDGETS = "poddisruptionbudgets.policy"
_QUOTA = f"{TEAM}/share"


class Promises:
    """Follows the log."""

    def __init__(self) -> None:
        self._quota = False
        self._used: dict[str, set[str]] = defaultdict(set)
        self._healthy: set[str] = set()
        # Whether health was lost by other means than evictions since the budget was last counted.
        self._disturbed = True
        self._budget: Object | None = None
        self._definition: Object | None = None
        self._running: dict[str, set[str]] = defaultdict(set)

    def note(self, change: Change) -> None:
        """Raises AssertionError if a promise is broken."""
        self._quotas(change)
        self._budgets(change)
        self._owners(change)
        self._definitions(change)
        self._schedules(change)

    def _quotas(self, change: Change) -> None:
        """From the moment there is a quota, nothing is created beyond it."""
        gone = change.operation is Operation.DELETED
        if change.resource == "resourcequotas" and change.key == _QUOTA:
            self._quota = not gone
        if change.resource not in ("pods", "configmaps") or not change.key.startswith(f"{TEAM}/"):
            return
        used = self._used[change.resource]
        over = gone or (change.resource == "pods" and (is_terminal(change.new) or is_deleting(change.new)))
        (used.discard if over else used.add)(change.key)
        most = MOST_PODS if change.resource == "pods" else MOST_MAPS
        if self._quota and change.operation is Operation.ADDED:
            assert len(used) <= most, f"{change.key} is beyond the quota of {most}"

    def _budgets(self, change: Change) -> None:
        """No eviction leaves less than the budget wants, unless health was lost besides."""
        if change.resource == BUDGETS and change.key == f"default/{GUARDED}":
            self._counted(change)
        if change.resource != "pods" or labels(change.new).get("app") != GUARDED:
            return
        was = change.key in self._healthy
        up = (
            change.operation is not Operation.DELETED and is_ready(change.new) and not is_deleting(change.new)
        )
        (self._healthy.add if up else self._healthy.discard)(change.key)
        if not was or up or self._budget is None:
            return
        if change.actor != EVICTOR:
            self._disturbed = True
        elif not self._disturbed:
            left = len(self._healthy)
            assert left >= LEAST, f"{change.key} was evicted, which leaves {left} of {LEAST}"

    def _counted(self, change: Change) -> None:
        if change.operation is Operation.DELETED:
            self._budget = None
            return
        status = change.new.get("status") or {}
        assert status.get("disruptionsAllowed", 0) >= 0, f"budget {change.key}: {status}"
        if self._budget is None:
            self._disturbed = True
        if change.actor != EVICTOR:
            self._disturbed = status.get("currentHealthy", 0) > len(self._healthy)
        self._budget = change.new

    def _owners(self, change: Change) -> None:
        """What one manager applied, no other changes without becoming its owner."""
        if change.key != f"default/{operators.SHARED}" or change.old is None:
            return
        if change.resource != "configmaps" or change.operation is not Operation.MODIFIED:
            return
        before, after = change.old.get("data") or {}, change.new.get("data") or {}
        for manager in MANAGERS:
            if manager == change.actor:
                continue
            lost = _owned(change.old, manager) - _owned(change.new, manager)
            changed = {key for key in _owned(change.old, manager) if before.get(key) != after.get(key)}
            assert changed <= lost, f"{change.actor} changed {changed}, which {manager} owns still"
            assert not changed or change.actor not in MANAGERS, f"{change.actor} took {changed} unasked"

    def _definitions(self, change: Change) -> None:
        """An instance comes only while there is a definition that stays."""
        if change.resource == definitions.DEFINITIONS:
            self._definition = None if change.operation is Operation.DELETED else change.new
        elif change.resource == INSTANCES and change.operation is Operation.ADDED:
            found = self._definition
            assert found is not None, f"{change.key} has no definition"
            assert not is_deleting(found), f"{change.key} came when its definition was going"

    def _schedules(self, change: Change) -> None:
        """A schedule that forbids it never has two Jobs running."""
        if change.resource != jobs.RESOURCE:
            return
        owner = controller_of(change.new)
        if owner is None or owner["kind"] != "CronJob":
            return
        running = self._running[owner["uid"]]
        over = change.operation is Operation.DELETED or jobs.is_finished(change.new)
        (running.discard if over else running.add)(change.key)
        assert len(running) <= 1, f"{owner['name']} runs {sorted(running)} at once"

    def converged(self, view: View) -> list[str]:
        """A quota is used up by who wants to; no instance is left of a definition that is gone; a schedule keeps no
        more than it is to."""
        wrong = []
        wanted = (view.get("replicasets.apps", f"{TEAM}/{MANY}") or {"spec": {"replicas": 0}})["spec"][
            "replicas"
        ]
        have = len(view.list("pods", TEAM))
        if have != min(wanted, MOST_PODS):
            wrong.append(f"{TEAM} has {have} pods of {wanted}")
        if view.list(INSTANCES) and not view.list(definitions.DEFINITIONS):
            wrong.append("instances outlive their definition")
        for cron in view.list("cronjobs.batch"):
            kept = len(view.owned(jobs.RESOURCE, cron["metadata"]["uid"]))
            if kept > cron["spec"]["successfulJobsHistoryLimit"]:
                wrong.append(f"{cron['metadata']['name']} keeps {kept} jobs")
        return wrong


def _owned(obj: Object, manager: str) -> set[str]:
    """The keys of the data that a manager applied."""
    found: set[str] = set()
    entries: list[Any] = obj["metadata"].get("managedFields") or []
    for entry in entries:
        if entry["manager"] == manager and entry["operation"] == "Apply":
            data = entry["fieldsV1"].get("f:data") or {}
            found |= {name.removeprefix("f:") for name in data if name != "."}
    return found
