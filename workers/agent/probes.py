"""All probes of a node: which are under way, and what they say of each container."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.decide import Health
from workers.agent.jobs import Jobs
from workers.agent.pod import containers, init_containers, is_sidecar, newest, ref, status_of
from workers.agent.probe_state import Kind, ProbeSpec, ProbeState, after, begin, failed, specs_of
from workers.agent.probing import Prober, Try
from workers.runtime.protocol import ContainerState, PodRef, PodState, State

# `told(pod, container, kind, message)`: a try failed; `changed(uid)`: what the probes say has changed.
Told = Callable[[Object, str, str, str], None]
Changed = Callable[[str], None]


@dataclass(slots=True)
class _Watched:
    """One running container with probes."""

    pod: Object
    ref: PodRef
    container: Object
    id: str
    address: str
    started_at: float
    specs: dict[Kind, ProbeSpec]
    states: dict[Kind, ProbeState] = field(default_factory=dict)
    started: bool = True
    ready: bool = True
    unhealthy: str = ""
    grace: float | None = None
    was_ready: bool = False


class Probes:
    """Keeps every probe of a node on its schedule.

    `follow` is called with each look at a pod, and starts and ends probing as containers come and go.
    A container's results live as long as the container.
    """

    def __init__(
        self, node: str, jobs: Jobs, clock: Clock, prober: Prober, told: Told, changed: Changed, runtime: str
    ) -> None:
        self._node, self._jobs, self._clock, self._prober = node, jobs, clock, prober
        self._told, self._changed, self._runtime = told, changed, runtime
        self._lock = threading.Lock()
        self._watched: dict[str, dict[str, _Watched]] = {}

    def follow(self, pod: Object, state: PodState | None) -> dict[str, Health]:
        """Probe what runs of the pod and nothing else. Returns what is known, by container id."""
        uid = pod["metadata"]["uid"]
        known = self._watched.get(uid)
        running: dict[str, _Watched] = {}
        fresh: list[_Watched] = []
        sidecars = [c for c in init_containers(pod) if is_sidecar(c)]
        for container in (*containers(pod), *sidecars):
            found = newest(state, container["name"])
            if found is None or found.state is not State.RUNNING or state is None:
                continue
            old = known.get(found.id) if known else None
            if old is not None:
                old.pod = pod
                running[found.id] = old
            else:
                specs = specs_of(container)
                if specs:
                    running[found.id] = self._watch(pod, container, found, state.address, specs)
                    fresh.append(running[found.id])
        deleting = bool(pod["metadata"].get("deletionTimestamp"))
        with self._lock:
            if running:
                self._watched[uid] = running
            else:
                self._watched.pop(uid, None)
        # Only what is entered may be tried: a try that finds its container unknown is the last one.
        for watched in fresh:
            for kind in ("readiness", "liveness") if watched.started else ("startup",):
                self._begin(watched, kind, self._clock.now())
        for cid, old in (known or {}).items():
            if cid not in running:
                self._forget(old)
        for watched in running.values():
            if deleting:
                # A pod that is ending is not killed for being unwell; whether it serves still matters.
                for kind in ("startup", "liveness"):
                    self._jobs.cancel(self._key(watched, kind))
        return {
            w.id: Health(w.started, w.ready, "" if deleting else w.unhealthy, w.grace)
            for w in running.values()
        }

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        with self._lock:
            known = self._watched.pop(uid, {})
        for watched in known.values():
            self._forget(watched)

    def _watch(
        self,
        pod: Object,
        container: Object,
        found: ContainerState,
        address: str,
        specs: dict[Kind, ProbeSpec],
    ) -> _Watched:
        before = status_of(pod, container["name"])
        same = before.get("containerID") == f"{self._runtime}://{found.id}"
        watched = _Watched(pod, ref(pod), container, found.id, address, found.started_at, specs)
        watched.was_ready = same and bool(before.get("ready"))
        watched.started = "startup" not in specs or (same and bool(before.get("started")))
        watched.ready = "readiness" not in specs or watched.was_ready
        return watched

    def _begin(self, watched: _Watched, kind: str, now: float) -> None:
        spec = watched.specs.get(kind)  # type: ignore[call-overload]
        if spec is None:
            return
        known_ready = kind == "readiness" and watched.was_ready
        watched.states[spec.kind] = begin(spec, watched.started_at, now, known_ready=known_ready)
        self._schedule(watched, spec, now)

    def _schedule(self, watched: _Watched, spec: ProbeSpec, now: float) -> None:
        delay = watched.states[spec.kind].next_at - now
        self._jobs.after(self._key(watched, spec.kind), delay, lambda: self._try(watched, spec), "probe")

    def _try(self, watched: _Watched, spec: ProbeSpec) -> None:
        uid = watched.ref.uid
        if self._watched.get(uid, {}).get(watched.id) is not watched:
            return
        state = watched.states[spec.kind]
        outcome = self._prober.probe(
            Try(watched.ref, watched.container, watched.id, watched.address, spec.handler, spec.timeout)
        )
        now = self._clock.now()
        fresh = after(spec, state, outcome.ok, now)
        watched.states[spec.kind] = fresh
        # The container may have ended while its probe was being tried: then the result means nothing.
        if self._watched.get(uid, {}).get(watched.id) is not watched:
            return
        if not outcome.ok and fresh.failures > state.failures:
            self._told(watched.pod, watched.container["name"], spec.kind, outcome.message)
        seen = (watched.started, watched.ready, watched.unhealthy)
        self._conclude(watched, spec, fresh, now)
        if not watched.unhealthy and not (spec.kind == "startup" and watched.started):
            self._schedule(watched, spec, now)
        if (watched.started, watched.ready, watched.unhealthy) != seen:
            self._changed(uid)

    def _conclude(self, watched: _Watched, spec: ProbeSpec, state: ProbeState, now: float) -> None:
        name = watched.container["name"]
        if spec.kind == "readiness":
            watched.ready = state.ok
        elif failed(spec, state):
            watched.grace = spec.grace
            watched.unhealthy = f"Container {name} failed {spec.kind} probe, will be restarted"
        elif spec.kind == "startup" and state.ok:
            watched.started = True
            for kind in ("readiness", "liveness"):
                self._begin(watched, kind, now)

    def _forget(self, watched: _Watched) -> None:
        for kind in watched.specs:
            self._jobs.cancel(self._key(watched, kind))

    def _key(self, watched: _Watched, kind: str) -> tuple[str, str, str, str]:
        return ("probe", self._node, watched.id, kind)
