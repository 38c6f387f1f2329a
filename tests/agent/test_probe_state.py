from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.agent.world import START
from workers.agent.probe_state import Kind, ProbeSpec, after, begin, failed, specs_of


def times(spec: ProbeSpec, results: list[bool], started: float = START) -> tuple[list[float], list[bool]]:
    """When each try is due after the start, and what the probe says after it."""
    state = begin(spec, started, started)
    due, ok = [], []
    for result in results:
        due.append(round(state.next_at - started, 3))
        state = after(spec, state, result, state.next_at)
        ok.append(state.ok)
    return due, ok


def probe(kind: Kind, **more: float) -> ProbeSpec:
    return ProbeSpec(kind, {"tcpSocket": {"port": 1}}, **more)  # type: ignore[arg-type]


def test_readiness_is_tried_early_until_it_succeeds_and_then_each_period() -> None:
    due, ok = times(probe("readiness", period=2), [False, False, False, False, True, True])
    assert due == [0.0, 0.05, 0.15, 0.35, 0.75, 2.0]
    assert ok == [False, False, False, False, True, True]


def test_early_tries_keep_to_the_initial_delay() -> None:
    assert times(probe("readiness", period=2, initial_delay=5), [False] * 3)[0] == [5.0, 5.05, 5.15]


def test_a_startup_probe_fails_after_threshold_periods_however_often_it_was_tried() -> None:
    spec = probe("startup", period=2, failure_threshold=3)
    state = begin(spec, START, START)
    while not failed(spec, state):
        now = state.next_at
        state = after(spec, state, False, now)
    assert now == START + 6


def test_liveness_fails_after_threshold_failures_in_a_row() -> None:
    spec = probe("liveness", period=3, failure_threshold=2)
    due, ok = times(spec, [True, False, True, False, False])
    assert due == [3.0, 6.0, 9.0, 12.0, 15.0]
    assert ok == [True, True, True, True, False]


def test_readiness_once_gained_is_lost_only_after_the_failure_threshold() -> None:
    spec = probe("readiness", period=1, failure_threshold=2)
    assert times(spec, [True, False, True, False, False, True])[1] == [True, True, True, True, False, True]


def test_several_successes_are_asked_for_one_period_apart() -> None:
    spec = probe("readiness", period=4, success_threshold=3)
    due, ok = times(spec, [True, True, True])
    assert due == [0.0, 4.0, 8.0]
    assert ok == [False, False, True]


def test_a_slow_try_skips_the_ticks_that_it_ran_over() -> None:
    spec = probe("liveness", period=1)
    state = begin(spec, START, START)
    assert after(spec, state, True, START + 4.5).next_at == START + 5


def test_what_the_manifest_leaves_out_is_as_in_kubernetes() -> None:
    (spec,) = specs_of({"livenessProbe": {"exec": {"command": ["true"]}}}).values()
    assert (spec.period, spec.timeout, spec.failure_threshold, spec.success_threshold) == (10, 1, 3, 1)


@given(
    st.lists(st.booleans(), min_size=1, max_size=80),
    st.sampled_from(["startup", "readiness", "liveness"]),
    st.integers(1, 10),
    st.integers(1, 5),
)
def test_time_always_goes_on_and_tries_never_come_faster_than_the_first_gap(
    results: list[bool], kind: Kind, period: int, threshold: int
) -> None:
    spec = probe(kind, period=period, failure_threshold=threshold)
    state = begin(spec, START, START)
    counted = 0
    for result in results:
        due = state.next_at
        counts = due >= state.tick
        fresh = after(spec, state, result, due)
        assert fresh.next_at >= due + 0.04
        assert fresh.next_at <= due + period + 0.001
        counted = 0 if result else counted + (1 if counts else 0)
        assert fresh.failures == counted
        state = fresh
