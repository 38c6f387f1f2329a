"""Jobs in the simulation: what users do with them, and that each pod is counted once whatever dies."""

from __future__ import annotations

from app.objects import jobs
from app.objects.change import Change, Object, Operation
from app.objects.indexes import read
from app.objects.jobs import TRACKING
from app.objects.meta import controller_of
from app.store.view import View
from tests.simulation.chance import Chance

NAMES = ("import", "report")


def job(chance: Chance, name: str) -> Object:
    spec: Object = {
        "completions": 1 + chance.randrange(5),
        "parallelism": 1 + chance.randrange(3),
        "backoffLimit": 2,
    }
    if chance.happens(0.4):
        spec["completionMode"] = "Indexed"
    if chance.happens(0.3):
        spec["podReplacementPolicy"] = "Failed"
    ends = {
        "simulated.beanpole.dev/crash-after": chance.choice(["0.1", "1", "4"]),
        "simulated.beanpole.dev/exit-code": "1" if chance.happens(0.15) else "0",
    }
    container = {
        "name": "main", "image": "batch:1", "resources": {"requests": {"cpu": "100m", "memory": "16Mi"}},
    }  # fmt: skip
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 2, "containers": [container]}
    return {
        "metadata": {"name": name},
        "spec": {**spec, "template": {"metadata": {"annotations": ends}, "spec": pod}},
    }


class Counts:
    """Who succeeded, by job, as the log tells it; and that no job says more, or counts a pod twice.

    A pod that is being deleted counts as failed, as in Kubernetes; if it still succeeds in its last seconds, its
    success is lost.
    """

    def __init__(self) -> None:
        self._succeeded: dict[str, set[str]] = {}
        self._counted: dict[tuple[str, str], str] = {}
        self._left: set[tuple[str, str]] = set()
        self._lists: dict[str, set[str]] = {}

    def note(self, change: Change) -> None:
        new = change.new
        if change.resource == "pods":
            owner = controller_of(new)
            held = TRACKING in (new["metadata"].get("finalizers") or ())
            if (
                owner
                and owner["kind"] == "Job"
                and held
                and (new.get("status") or {}).get("phase") == "Succeeded"
            ):
                self._succeeded.setdefault(owner["uid"], set()).add(new["metadata"]["uid"])
        elif change.resource == jobs.RESOURCE and change.operation is not Operation.DELETED:
            self._check(new)

    def _check(self, job: Object) -> None:
        status, meta = job.get("status") or {}, job["metadata"]
        lists = status.get("uncountedTerminatedPods") or {}
        self._check_lists(meta["name"], meta["uid"], lists)
        known = len(self._known(meta["uid"]))
        waiting = len(lists.get("succeeded") or ())
        told = status.get("succeeded", 0) + waiting
        assert told <= known, f"job {meta['name']} counts {told} successes of {known}"
        if jobs.is_indexed(job):
            done = read(status.get("completedIndexes") or "", job["spec"]["completions"])
            assert len(done) == status.get("succeeded", 0), f"job {meta['name']}: {status}"

    def _check_lists(self, name: str, job: str, lists: Object) -> None:
        """No pod is on its way into two counts, nor into one that it was in before."""
        now: set[str] = set()
        for which in ("succeeded", "failed"):
            for uid in lists.get(which) or ():
                assert self._counted.setdefault((job, uid), which) == which, f"job {name} counts {uid} twice"
                assert (job, uid) not in self._left, f"job {name} counts {uid} again"
                now.add(uid)
        self._left |= {(job, uid) for uid in self._lists.get(job, set()) - now}
        self._lists[job] = now

    def _known(self, job: str) -> set[str]:
        """The pods whose success the job counts or has to count yet."""
        found = self._succeeded.get(job, set())
        return {uid for uid in found if self._counted.get((job, uid)) != "failed"}

    def converged(self, view: View) -> list[str]:
        """Every job is over, has its pods counted, and holds none of them."""
        wrong = []
        for job in view.list(jobs.RESOURCE):
            name, status = f"job {job['metadata']['name']}", job.get("status") or {}
            if not jobs.is_finished(job):
                wrong.append(f"{name} is not over: {status}")
                continue
            if any((status.get("uncountedTerminatedPods") or {}).values()) or status.get("active"):
                wrong.append(f"{name} is over and still counts: {status}")
            known = len(self._known(job["metadata"]["uid"]))
            if not jobs.is_indexed(job) and status.get("succeeded", 0) != known:
                wrong.append(f"{name} counts {status.get('succeeded', 0)} successes of {known}")
            for pod in view.owned("pods", job["metadata"]["uid"]):
                if TRACKING in (pod["metadata"].get("finalizers") or ()):
                    wrong.append(f"{name} is over and holds {pod['metadata']['name']}")
        return wrong
