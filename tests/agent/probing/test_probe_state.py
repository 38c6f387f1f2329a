from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.agent.world import START
from workers.agent.probing.state import Kind, ProbeSpec, after, after_unknown, begin, failed, specs_of


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


def test_of_the_ticks_that_a_slow_try_ran_over_the_last_one_is_made_up_for() -> None:
    spec = probe("liveness", period=1)
    state = begin(spec, START, START)
    slow = after(spec, state, True, START + 4.5)
    assert slow.next_at == START + 4
    assert after(spec, slow, True, START + 4.6).next_at == START + 5


def test_a_try_that_takes_all_of_its_period_is_followed_by_the_next_at_once() -> None:
    spec = probe("liveness", period=1, failure_threshold=3)
    state = begin(spec, START, START)
    for number in range(1, 4):
        assert state.next_at == START + number
        state = after(spec, state, False, START + number + 1.001)
    assert failed(spec, state)


def test_a_try_that_could_not_be_made_counts_neither_way() -> None:
    spec = probe("readiness", period=2, failure_threshold=1)
    ready = after(spec, begin(spec, START, START), True, START)
    state = after_unknown(spec, ready, START + 2.1)
    assert (state.ok, state.failures, state.next_at) == (True, 0, START + 4)


def test_an_agent_that_was_restarted_goes_on_in_the_container_s_rhythm() -> None:
    spec = probe("readiness", period=10, initial_delay=3)
    assert begin(spec, START, START + 100.5, known_ready=True).next_at == START + 103
    unready = begin(spec, START, START + 100.5)
    assert (unready.next_at, unready.tick) == (START + 100.5, START + 103)
    assert begin(probe("liveness", period=7), START, START + 15).next_at == START + 21


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 25)), max_size=60),
    st.sampled_from(["startup", "readiness", "liveness"]),
    st.tuples(st.integers(1, 10), st.integers(0, 20), st.integers(1, 4), st.integers(1, 3)),
)
def test_the_tries_that_count_have_the_results_that_kubelets_worker_gives_them(
    tries: list[tuple[bool, float]], kind: Kind, times: tuple[int, int, int, int]
) -> None:
    """kubernetes/pkg/kubelet/prober/worker.go: a run of equal results as long as its threshold sets the result."""
    period, delay, failures, successes = times
    successes = successes if kind == "readiness" else 1
    spec = probe(
        kind, period=period, initial_delay=delay, failure_threshold=failures, success_threshold=successes
    )
    state = begin(spec, START, START)
    result, last, run = kind == "liveness", None, 0
    for success, took in tries:
        due, counts = state.next_at, state.counts
        assert due >= START + delay
        if counts:
            assert (state.tick - START - delay) % period == 0
        now = due + took
        state = after(spec, state, success, now)
        if counts or success:
            last, run = success, run + 1 if last == success else 1
            if run >= (successes if success else failures):
                result = success
        assert state.ok == result
        assert state.next_at <= now + period
        if failed(spec, state):
            assert (last, run >= failures, counts) == (False, True, True)
            break


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
