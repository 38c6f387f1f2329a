"""Thresholds, how long a shortage counts, who goes first, and what is said: all of it pure."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.errors import UserError
from app.base.settings import Settings
from workers.agent.pressure.eviction import Candidate, Pressure, look, message, rank
from workers.agent.pressure.thresholds import MEMORY, NODE_DISK, PIDS, Level, Threshold, kept_back, parse

MI = 1 << 20
GI = 1 << 30
HARD = Threshold(MEMORY, amount=100 * MI)


def candidate(
    name: str, used: int | None, asked: str = "", priority: int = 0, notes: dict[str, str] | None = None
) -> Candidate:
    resources: dict[str, Any] = {"requests": {"memory": asked}} if asked else {}
    pod = {
        "metadata": {"name": name, "annotations": notes or {}},
        "spec": {"priority": priority, "containers": [{"name": "c", "resources": resources}]},
    }
    if used is None:
        return Candidate(pod)
    return Candidate(pod, {"memory": used, "pids": used}, {"c": {"memory": used}})


def names(signal: str, *candidates: Candidate) -> list[str]:
    return [each.pod["metadata"]["name"] for each in rank(signal, candidates)]


def test_the_default_thresholds_are_kubelets() -> None:
    found = {(t.signal, t.amount, t.part) for t in parse(Settings().eviction_hard)}
    assert {(MEMORY, 100 * MI, 0.0), (NODE_DISK, 0, 0.1), ("imagefs.available", 0, 0.15)} <= found


def test_thresholds_of_memory_are_seen_to_first_and_hard_ones_before_soft_ones() -> None:
    found = parse("nodefs.available<10%,memory.available<1Gi", "memory.available<2Gi:90s")
    assert [(t.signal, t.soft, t.patience) for t in found] == [
        (MEMORY, False, 0.0), (MEMORY, True, 90.0), (NODE_DISK, False, 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["memory<1Gi", "memory.available<lots", "memory.available", "nodefs.available<0%", "pid.available<101%"],
)
def test_a_threshold_that_can_not_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"memory.available<100Mi"):
        parse(text)


def test_a_soft_threshold_needs_its_patience_and_a_hard_one_has_none() -> None:
    with pytest.raises(UserError, match="patience"):
        parse("", "memory.available<1Gi")
    with pytest.raises(UserError):
        parse("memory.available<1Gi:30")
    for patience in ("-5", "nan", "inf", "long"):
        for least in ("1Gi", "10%"):
            with pytest.raises(UserError, match="patience"):
                parse("", f"memory.available<{least}:{patience}")


def test_what_hard_thresholds_keep_is_not_given_out() -> None:
    both = parse("memory.available<100Mi,nodefs.available<10%", "memory.available<2Gi:90")
    assert kept_back(both, MEMORY, 8 * GI) == 100 * MI
    assert kept_back(both, NODE_DISK, 100 * GI) == 10 * GI


def test_a_condition_stays_for_the_transition_period_so_that_it_does_not_flap() -> None:
    pressure = Pressure()
    short, well = {MEMORY: Level(50 * MI, GI)}, {MEMORY: Level(500 * MI, GI)}
    assert look([HARD], short, pressure, 0, 300).due == (HARD,)
    after = look([HARD], well, pressure, 10, 300)
    assert (after.conditions, after.due) == ({"MemoryPressure"}, ())
    assert look([HARD], well, pressure, 299, 300).conditions == {"MemoryPressure"}
    assert look([HARD], well, pressure, 300, 300).conditions == frozenset()


def test_a_soft_threshold_is_acted_on_when_it_was_met_for_its_patience_without_a_break() -> None:
    soft = Threshold(MEMORY, amount=500 * MI, patience=90, soft=True)
    short, well = {MEMORY: Level(400 * MI, GI)}, {MEMORY: Level(600 * MI, GI)}
    pressure = Pressure()
    assert look([soft], short, pressure, 0, 300).due == ()
    assert look([soft], short, pressure, 89, 300).due == ()
    assert look([soft], well, pressure, 89.5, 300).due == ()
    assert look([soft], short, pressure, 95, 300).due == ()
    assert look([soft], short, pressure, 185, 300).due == (soft,)


def test_what_can_not_be_measured_is_never_short() -> None:
    assert look([HARD], {}, Pressure(), 0, 300).due == ()
    assert look([HARD], {MEMORY: Level(0, 0)}, Pressure(), 0, 300).due == ()


def test_who_uses_more_than_asked_goes_before_who_does_not() -> None:
    guaranteed = candidate("guaranteed", GI, asked="1Gi")
    burstable = candidate("burstable", 600 * MI, asked="500Mi")
    best_effort = candidate("best-effort", 300 * MI)
    assert names(MEMORY, guaranteed, burstable, best_effort) == ["best-effort", "burstable", "guaranteed"]


def test_among_those_the_lowest_priority_goes_first_whatever_it_uses() -> None:
    low, high = candidate("low", 10 * MI, priority=-1), candidate("high", 5 * GI, priority=100)
    assert names(MEMORY, high, low) == ["low", "high"]


def test_a_pod_within_its_request_stays_before_any_that_is_not_whatever_their_priorities() -> None:
    modest = candidate("modest", 100 * MI, asked="200Mi", priority=-100)
    greedy = candidate("greedy", 300 * MI, asked="200Mi", priority=100)
    assert names(MEMORY, modest, greedy) == ["greedy", "modest"]


def test_a_pod_of_which_nothing_is_known_goes_before_those_that_are_known_to_use_too_much() -> None:
    assert names(MEMORY, candidate("known", GI), candidate("unknown", None)) == ["unknown", "known"]


def test_process_ids_are_asked_for_by_nobody_so_priority_and_number_decide() -> None:
    few, many = candidate("few", 5, asked="1Gi"), candidate("many", 500, asked="1Gi")
    low = candidate("low", 2, priority=-5)
    assert names(PIDS, few, many, low) == ["low", "many", "few"]


def test_critical_and_static_pods_are_never_evicted() -> None:
    system = candidate("system", GI, priority=2_000_000_000)
    static = candidate("static", GI, notes={"kubernetes.io/config.source": "file"})
    assert names(MEMORY, system, static, candidate("plain", 1)) == ["plain"]


def test_users_are_told_in_kubelets_words() -> None:
    said = message(HARD, Level(50 * MI, GI), candidate("web", 1384 * MI))
    assert said == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using "
        "1384Mi, request is 0, has larger consumption of memory. "
    )


_PODS = st.lists(
    st.builds(
        candidate,
        st.text("abc", min_size=1),
        st.none() | st.integers(0, 4 * GI),
        st.sampled_from(["", "100Mi", "1Gi", "3Gi"]),
        st.integers(-10, 10),
    ),
    max_size=8,
)


@given(_PODS)
def test_whoever_is_first_has_no_better_right_to_stay_than_any_other(pods: list[Candidate]) -> None:
    ranked = rank(MEMORY, pods)
    assert len(ranked) == len(pods)

    def beyond(each: Candidate) -> int | None:
        asked = (each.pod["spec"]["containers"][0]["resources"].get("requests") or {}).get("memory", "0")
        sizes = {"0": 0, "100Mi": 100 * MI, "1Gi": GI, "3Gi": 3 * GI}
        return None if each.used is None else each.used["memory"] - sizes[asked]

    for one, other in itertools.pairwise(ranked):
        first, second = beyond(one), beyond(other)
        over, also = first is None or first > 0, second is None or second > 0
        assert over or not also
        if over == also:
            mine, theirs = one.pod["spec"]["priority"], other.pod["spec"]["priority"]
            assert mine <= theirs
            if mine == theirs and first is not None and second is not None:
                assert first >= second
