"""All probes of a node: which are under way, and what they say of each container."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.deciding.containers import Health
from workers.agent.jobs import Jobs
from workers.agent.pod import containers, init_containers, is_sidecar, newest, ref, status_of
from workers.agent.probing import Outcome, Prober, Try
from workers.agent.probing.state import (
    Kind,
    ProbeSpec,
    ProbeState,
    after,
    after_unknown,
    begin,
    failed,
    specs_of,
)
from workers.runtime.protocol import ContainerState, PodRef, PodState, State


@dataclass(frozen=True, slots=True)
class Remark:
    """What a try gives to tell users, as an Event has it. `init`: of a sidecar."""

    container: str
    reason: str
    message: str
    init: bool = False


# `told(pod, remark)`; `changed(uid)`: what the probes say has changed.
Told = Callable[[Object, Remark], None]
Changed = Callable[[str], None]


@dataclass(slots=True)
class _Watched:
    """One running container with probes. `started_at`: by the clock that only goes forward."""

    pod: Object
    ref: PodRef
    container: Object
    id: str
    address: str
    started_at: float
    specs: dict[Kind, ProbeSpec]
    states: dict[Kind, ProbeState] = field(default_factory=dict)
    sidecar: bool = False
    started: bool = True
    ready: bool = True
    unhealthy: str = ""
    grace: float | None = None
    was_ready: bool = False


class Probes:
    """Keeps every probe of a node on its schedule.

    `follow` is called with each look at a pod, and starts and ends probing as containers come and go.
    A container's results live as long as the container. Times are those of `Clock.monotonic`: setting the machine's
    clock neither hurries a probe nor holds it up.
    """

    def __init__(
        self, node: str, jobs: Jobs, clock: Clock, prober: Prober, told: Told, changed: Changed, runtime: str
    ) -> None:
        self._node, self._clock, self._prober = node, clock, prober
        self._jobs = prober.schedule(jobs)
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
                    running[found.id].sidecar = container in sidecars
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
                self._begin(watched, kind)
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

    def close(self) -> None:
        """Probe nothing more."""
        with self._lock:
            self._watched.clear()
        self._prober.close()

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
        running_for = max(0.0, self._clock.now() - found.started_at)
        started_at = self._clock.monotonic() - running_for
        watched = _Watched(pod, ref(pod), container, found.id, address, started_at, specs)
        watched.was_ready = same and bool(before.get("ready"))
        watched.started = "startup" not in specs or (same and bool(before.get("started")))
        watched.ready = "readiness" not in specs or watched.was_ready
        return watched

    def _begin(self, watched: _Watched, kind: str) -> None:
        spec = watched.specs.get(kind)  # type: ignore[call-overload]
        if spec is None:
            return
        now = self._clock.monotonic()
        known_ready = kind == "readiness" and watched.was_ready
        watched.states[spec.kind] = begin(spec, watched.started_at, now, known_ready=known_ready)
        self._schedule(watched, spec, now)

    def _schedule(self, watched: _Watched, spec: ProbeSpec, now: float) -> None:
        delay = watched.states[spec.kind].next_at - now
        self._jobs.after(self._key(watched, spec.kind), delay, lambda: self._try(watched, spec), "probe")

    def _is_current(self, watched: _Watched) -> bool:
        return self._watched.get(watched.ref.uid, {}).get(watched.id) is watched

    def _try(self, watched: _Watched, spec: ProbeSpec) -> None:
        if not self._is_current(watched):
            return
        attempt = Try(watched.ref, watched.container, watched.id, watched.address, spec.handler, spec.timeout)
        self._prober.probe(attempt, lambda outcome: self._tried(watched, spec, outcome))

    def _tried(self, watched: _Watched, spec: ProbeSpec, outcome: Outcome) -> None:
        # The container may have ended while its probe was being tried: then the result means nothing.
        if not self._is_current(watched):
            return
        state, now = watched.states[spec.kind], self._clock.monotonic()
        fresh = after_unknown(spec, state, now) if outcome.unknown else after(spec, state, outcome.ok, now)
        watched.states[spec.kind] = fresh
        if outcome.warning or (not outcome.ok and state.counts):
            self._told(watched.pod, _remark(watched, spec, outcome))
        seen = (watched.started, watched.ready, watched.unhealthy)
        self._conclude(watched, spec, fresh)
        ending = bool(watched.pod["metadata"].get("deletionTimestamp")) and spec.kind != "readiness"
        if not watched.unhealthy and not (spec.kind == "startup" and watched.started) and not ending:
            self._schedule(watched, spec, now)
        if (watched.started, watched.ready, watched.unhealthy) != seen:
            self._changed(watched.ref.uid)

    def _conclude(self, watched: _Watched, spec: ProbeSpec, state: ProbeState) -> None:
        name = watched.container["name"]
        if spec.kind == "readiness":
            watched.ready = state.ok
        elif failed(spec, state):
            watched.grace = spec.grace
            watched.unhealthy = f"Container {name} failed {spec.kind} probe, will be restarted"
        elif spec.kind == "startup" and state.ok and not watched.started:
            watched.started = True
            for kind in ("readiness", "liveness"):
                self._begin(watched, kind)

    def _forget(self, watched: _Watched) -> None:
        for kind in watched.specs:
            self._jobs.cancel(self._key(watched, kind))

    def _key(self, watched: _Watched, kind: str) -> tuple[str, str, str, str]:
        return ("probe", self._node, watched.id, kind)


def _remark(watched: _Watched, spec: ProbeSpec, outcome: Outcome) -> Remark:
    which = f"{spec.kind.capitalize()} probe"
    if outcome.warning:
        reason, text = "ProbeWarning", f"{which} warning: {outcome.message}"
    elif outcome.unknown:
        reason, text = "Unhealthy", f"{which} errored and resulted in unknown state: {outcome.message}"
    else:
        reason, text = "Unhealthy", f"{which} failed: {outcome.message}"
    return Remark(watched.container["name"], reason, text, watched.sidecar)
