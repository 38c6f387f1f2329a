"""One probe's results over time: pure.

https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/. Beyond Kubernetes: until
its first success a startup or readiness probe is also tried early (at once, then after 0.05, 0.1, 0.2, ...
seconds, until the gap reaches the period), so that a pod serves as soon as it can. An early try that fails
counts for nothing: thresholds are counted in whole periods, exactly as the manifest says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from app.objects.change import Object

Kind = Literal["startup", "readiness", "liveness"]
KINDS: tuple[Kind, ...] = ("startup", "readiness", "liveness")
FIRST_GAP = 0.05


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """A probe as its container asks for it. Times in seconds. `grace`: the probe's own
    terminationGracePeriodSeconds, None for the pod's."""

    kind: Kind
    handler: Object
    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3
    grace: float | None = None


@dataclass(frozen=True, slots=True)
class ProbeState:
    """Where a probe stands.

    Attributes:
        next_at: when to try next. tick: when the next try that counts is due.
        gap: seconds between early tries; 0 when there are none (any more).
        ok: the result so far. Before anything is known, liveness is true, the others are false.
    """

    next_at: float
    tick: float
    gap: float
    ok: bool
    successes: int = 0
    failures: int = 0

    @property
    def counts(self) -> bool:
        """Whether the next try is one of those that the manifest asks for, and not an early one."""
        return self.next_at >= self.tick


def specs_of(container: Object) -> dict[Kind, ProbeSpec]:
    """The probes that a container asks for, with Kubernetes's defaults where it is silent."""
    found: dict[Kind, ProbeSpec] = {}
    for kind in KINDS:
        probe = container.get(f"{kind}Probe")
        if not probe:
            continue
        grace = probe.get("terminationGracePeriodSeconds")
        found[kind] = ProbeSpec(
            kind=kind,
            handler={k: probe[k] for k in ("httpGet", "tcpSocket", "exec", "grpc") if probe.get(k)},
            initial_delay=float(probe.get("initialDelaySeconds") or 0),
            period=max(1.0, float(probe.get("periodSeconds") or 10)),
            timeout=max(1.0, float(probe.get("timeoutSeconds") or 1)),
            success_threshold=max(1, int(probe.get("successThreshold") or 1)),
            failure_threshold=max(1, int(probe.get("failureThreshold") or 3)),
            grace=None if grace is None else float(grace),
        )
    return found


def begin(spec: ProbeSpec, started_at: float, now: float, *, known_ready: bool = False) -> ProbeState:
    """A probe of a container that started at `started_at`. `known_ready`: an earlier agent saw it succeed, so it
    stays so until shown otherwise.

    The tries that count come one period apart, counted from the container's start and not from the agent's: an agent
    that was restarted goes on in the same rhythm, and containers that were started one after another are not all
    probed at once. A liveness probe without an initial delay is first tried after one period: kubelet's first try comes
    anywhere within the first period, and one at the very start would only count against the container.
    """
    first = started_at + spec.initial_delay
    if spec.kind == "liveness":
        due = _next_tick(spec, started_at + (spec.initial_delay or spec.period), now)
        return ProbeState(due, due, 0.0, ok=True)
    if known_ready:
        due = _next_tick(spec, first, now)
        return ProbeState(due, due, 0.0, ok=True)
    return ProbeState(max(first, now), _next_tick(spec, first + spec.period, now), FIRST_GAP, ok=False)


def _next_tick(spec: ProbeSpec, first: float, now: float) -> float:
    """The first of the ticks from `first` on that lies not before `now`."""
    return first if first >= now else first + spec.period * math.ceil((now - first) / spec.period)


def after(spec: ProbeSpec, state: ProbeState, success: bool, now: float) -> ProbeState:
    """The state once the try that was due at `state.next_at` gave its result, at `now`."""
    counts, tick = state.counts, _tick_after(spec, state, now)
    if success:
        successes = state.successes + 1
        ok = state.ok or successes >= spec.success_threshold
        return ProbeState(tick, tick, 0.0, ok, successes, 0)
    if not counts:
        gap = state.gap * 2
        early = now + state.gap
        return replace(state, next_at=min(early, tick), gap=gap if gap < spec.period else 0.0, successes=0)
    failures = state.failures + 1
    ok = state.ok and failures < spec.failure_threshold
    next_at = min(now + state.gap, tick) if state.gap else tick
    return ProbeState(next_at, tick, state.gap, ok, 0, failures)


def after_unknown(spec: ProbeSpec, state: ProbeState, now: float) -> ProbeState:
    """The state once the try that was due could not be made: nothing is known that was not before."""
    tick = _tick_after(spec, state, now)
    gap = min(max(2 * state.gap, FIRST_GAP), spec.period)
    return replace(
        state, next_at=min(now + gap, tick) if state.gap else tick, tick=tick, gap=state.gap and gap
    )


def _tick_after(spec: ProbeSpec, state: ProbeState, now: float) -> float:
    """When the next try that counts is due. Ticks keep their rhythm; of those that a slow try ran over the last one is
    made up for at once, as kubelet's ticker has it."""
    if not state.counts:
        return state.tick
    return state.tick + spec.period * max(1, int((now - state.tick) / spec.period))


def failed(spec: ProbeSpec, state: ProbeState) -> bool:
    """Whether the probe has failed as often as it may."""
    return not state.ok and state.failures >= spec.failure_threshold
