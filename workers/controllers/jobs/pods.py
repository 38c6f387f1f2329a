"""Which pods a Job makes and which it deletes (k8s.io/kubernetes/pkg/controller/job, `manageJob`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.objects import deletion
from app.objects.change import Object, ReadView, Write, create
from app.objects.jobs import TRACKING
from workers.controllers import victims
from workers.controllers.jobs import backoff as job_backoff
from workers.controllers.jobs import pod as job_pod
from workers.controllers.jobs.state import JobState
from workers.controllers.pod_template import pod_of
from workers.controllers.template_hash import short_hash

# As many at once as Kubernetes makes or deletes in one go; the rest follows.
MOST_AT_ONCE = 500
ENV = "JOB_COMPLETION_INDEX"
# Names are cut so that dash, index and five letters still fit.
LONGEST_BASE = 57


def wanted(state: JobState) -> int:
    """How many pods should be active."""
    spec = state.spec
    if state.suspended:
        return 0
    parallelism: int = spec.get("parallelism", 1)
    completions = spec.get("completions")
    if completions is None:
        return len(state.active) if state.succeeded > 0 else parallelism
    lost = len(state.lost or ())
    return max(0, min(parallelism, completions - state.succeeded - lost))


def surplus(view: ReadView, state: JobState) -> list[Object]:
    """The active pods that are too many: those without a place first, then those least missed."""
    misplaced, placed = _misplaced(view, state)
    too_many = len(placed) - wanted(state)
    if too_many > 0:
        misplaced += victims.choose(view, state.job, placed, too_many, state.now)
    return misplaced[:MOST_AT_ONCE] if not state.suspended else misplaced


def _misplaced(view: ReadView, state: JobState) -> tuple[list[Object], list[Object]]:
    """The active pods without an index that is theirs alone and still to be done, and the others."""
    if state.done is None:
        return [], list(state.active)
    by_index: dict[int | None, list[Object]] = {}
    for pod in state.active:
        by_index.setdefault(state.index_of(pod), []).append(pod)
    misplaced: list[Object] = []
    placed: list[Object] = []
    for index, found in by_index.items():
        if index is None or index in state.done or index in (state.lost or ()):
            misplaced += found
            continue
        extra = victims.choose(view, state.job, found, len(found) - 1, state.now) if len(found) > 1 else []
        going = {job_pod.uid(pod) for pod in extra}
        misplaced += extra
        placed += [pod for pod in found if job_pod.uid(pod) not in going]
    return misplaced, placed


def deleted_uncounted(pods: Iterable[Object], now: float) -> list[Write]:
    """The deletion of pods that shall count as nothing: in one commit each loses its finalizer and is marked, so
    that no plan can see it failed."""
    writes = (deletion.removal("pods", job_pod.untracked(pod), now) for pod in pods)
    return [write for write in writes if write is not None]


def deleted(pods: Iterable[Object], now: float) -> list[Write]:
    """The deletion of pods that are still to be counted."""
    writes = (deletion.removal("pods", pod, now) for pod in pods)
    return [write for write in writes if write is not None]


def missing(state: JobState) -> tuple[int, list[int], float | None]:
    """How many pods to make now, of which indexes (of a Job that has them), and after how many seconds there may
    be more (None: a change will tell)."""
    held = state.terminating if state.ended_only else 0
    count = min(wanted(state) - len(state.active) - held, MOST_AT_ONCE)
    if count <= 0:
        return 0, [], None
    if not state.per_index:
        wait = job_backoff.remaining(state.pods, state.ended_only, state.now)
        if wait > 0:
            return 0, [], wait
    if state.done is None:
        return count, [], None
    found = _pending(state, count)
    if not state.per_index:
        return len(found), found, None
    waits = {
        i: job_backoff.remaining_of_index(state.delayed[i], state.now) for i in found if i in state.delayed
    }
    ready = [index for index in found if waits.get(index, 0.0) <= 0]
    later = [wait for wait in waits.values() if wait > 0]
    return len(ready), ready, min(later) if later else None


def _pending(state: JobState, count: int) -> list[int]:
    """The first indexes that nobody is at work on."""
    assert state.done is not None
    taken = set(state.done) | set(state.lost or ())
    taken.update(index for pod in state.active if (index := state.index_of(pod)) is not None)
    if state.ended_only:
        taken.update(
            index
            for pod in state.pods
            if job_pod.is_terminating(pod) and (index := state.index_of(pod)) is not None
        )
    found: list[int] = []
    for index in range(state.spec.get("completions") or 0):
        if len(found) == count:
            break
        if index not in taken:
            found.append(index)
    return found


def made(view: ReadView, state: JobState, count: int, of: list[int], toleration: int) -> list[Write]:
    """The writes that make `count` pods, of the indexes `of` if the Job has indexes."""
    job = state.job
    template = _with_index_env(job["spec"]["template"]) if of else job["spec"]["template"]
    base = pod_of(job, template, toleration)
    finalizers = [f for f in base["metadata"].get("finalizers") or () if f != TRACKING]
    base["metadata"]["finalizers"] = [*finalizers, TRACKING]
    names = _Names(view, job)
    if not of:
        return [create("pods", _named(base, names, "")) for _ in range(count)]
    return [create("pods", _numbered(state, base, names, index)) for index in of]


def _numbered(state: JobState, base: Object, names: _Names, index: int) -> Object:
    pod = _named(base, names, f"-{index}")
    meta, text = pod["metadata"], str(index)
    meta["labels"] = {**meta["labels"], job_pod.INDEX: text}
    meta["annotations"] = {**(meta.get("annotations") or {}), job_pod.INDEX: text, **_failures(state, index)}
    pod["spec"] = {**pod["spec"], "hostname": f"{state.job['metadata']['name']}-{index}"}
    return pod


def _failures(state: JobState, index: int) -> dict[str, str]:
    """The annotations in which a pod carries on how often its index failed."""
    if not state.per_index:
        return {}
    last = state.delayed.get(index)
    if last is None:
        return {job_pod.FAILURES: "0"}
    counts = state.verdict(last).counts
    notes = {job_pod.FAILURES: str(job_pod.failures_before(last) + counts)}
    ignored = job_pod.ignored_before(last) + (not counts)
    if ignored:
        notes[job_pod.IGNORED_FAILURES] = str(ignored)
    return notes


def _named(base: Object, names: _Names, infix: str) -> Object:
    start, name = names.draw(infix)
    return {**base, "metadata": {**base["metadata"], "name": name, "generateName": start}}


class _Names:
    """Names that the same plan on the same view draws again, so that doing it twice makes no pod twice."""

    def __init__(self, view: ReadView, job: Object) -> None:
        self._view = view
        self._job = job["metadata"]
        self._drawn: set[str] = set()
        self._position = 0

    def draw(self, infix: str) -> tuple[str, str]:
        """The fixed start of a name, and the name. `infix` is what follows the Job's own."""
        start = f"{self._job['name'][: LONGEST_BASE - len(infix)]}{infix}-"
        while True:
            name = start + short_hash([self._job["uid"], self._view.revision, self._position], 5)
            self._position += 1
            if name not in self._drawn and self._view.get("pods", f"{self._job['namespace']}/{name}") is None:
                self._drawn.add(name)
                return start, name


def _with_index_env(template: Object) -> Object:
    """The template whose containers know their index; a variable of that name in it stays."""
    path = f"metadata.labels['{job_pod.INDEX}']"
    own = {"name": ENV, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
    spec: dict[str, Any] = dict(template["spec"])
    for part in ("containers", "initContainers"):
        if spec.get(part):
            spec[part] = [
                container
                if any(variable.get("name") == ENV for variable in container.get("env") or ())
                else {**container, "env": [*(container.get("env") or ()), own]}
                for container in spec[part]
            ]
    return {**template, "spec": spec}
