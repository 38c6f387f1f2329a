"""Which pod of a StatefulSet comes, goes or waits, from every state that a step may have been cut short in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workers.controllers.stateful.steps import Member, Steps, Update, steps

UP = Member(0, "new", available=True)
GONE = Member(0, exists=False)
STARTING = Member(0, "new")
PULLING = Member(0, "new", started=False)
FAILED = Member(0, "new", finished=True)
ENDING = Member(0, "new", available=True, terminating=True)
OLD = Member(0, "old", available=True)
UPDATE = Update("new", "old", 0, 1)


def row(*members: Member, first: int = 0) -> list[Member]:
    return [replace(member, number=first + i) for i, member in enumerate(members)]


@pytest.mark.parametrize(
    ("wanted", "surplus", "expected"),
    [
        (row(GONE, GONE), [], Steps(make=(0,))),
        (row(STARTING, GONE), [], Steps()),
        (row(UP, GONE), [], Steps(make=(1,))),
        (row(ENDING, GONE), [], Steps()),
        (row(UP, ENDING, UP), [], Steps()),
        (row(GONE, UP, UP), [], Steps(make=(0,))),
        (row(FAILED, GONE), [], Steps(delete=(0,))),
        (row(replace(FAILED, terminating=True), GONE), [], Steps()),
        (row(replace(GONE, blocked=True), GONE), [], Steps()),
        # down: the last first, each alone, and only while all that stay are up
        (row(UP), row(UP, UP, first=1), Steps(delete=(2,))),
        (row(UP), row(UP, ENDING, first=1), Steps()),
        (row(STARTING), row(UP, UP, first=1), Steps()),
        (row(UP), row(UP, STARTING, first=1), Steps(delete=(2,))),
        (row(UP), row(STARTING, STARTING, first=1), Steps()),
        (row(UP), row(STARTING, UP, first=1), Steps(delete=(2,))),
        ([], row(UP), Steps(delete=(0,))),
        ([], row(FAILED, FAILED, UP), Steps(delete=(1,))),
        ([], row(FAILED, replace(FAILED, terminating=True)), Steps()),
    ],
)
def test_in_order_one_thing_happens_at_a_time(
    wanted: list[Member], surplus: list[Member], expected: Steps
) -> None:
    assert steps(wanted, surplus, UPDATE, ordered=True) == expected


@pytest.mark.parametrize(
    ("wanted", "surplus", "expected"),
    [
        (row(GONE, STARTING, GONE), [], Steps(make=(0, 2))),
        (row(GONE, ENDING, FAILED), [], Steps(make=(0,), delete=(2,))),
        (row(STARTING), row(UP, ENDING, STARTING, first=1), Steps(delete=(3, 1))),
        (row(replace(GONE, blocked=True), GONE), [], Steps(make=(1,))),
    ],
)
def test_in_parallel_nothing_waits_but_for_its_own_name(
    wanted: list[Member], surplus: list[Member], expected: Steps
) -> None:
    assert steps(wanted, surplus, UPDATE, ordered=False) == expected


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize(
    ("wanted", "update", "expected"),
    [
        (row(OLD, OLD, OLD), UPDATE, (2,)),
        (row(OLD, OLD, UP), UPDATE, (1,)),
        (row(UP, UP, UP), UPDATE, ()),
        (row(OLD, OLD, OLD), Update("new", "old", 2, 1), (2,)),
        (row(OLD, OLD, UP), Update("new", "old", 2, 1), ()),
        (row(OLD, OLD, OLD), Update("new", "old", 5, 1), ()),
        (row(OLD, OLD, OLD), Update("new", "old", 0, 2), (2, 1)),
        (row(OLD, OLD, OLD), None, ()),
    ],
)
def test_an_update_goes_from_the_last_to_the_partition(
    wanted: list[Member], update: Update | None, expected: tuple[int, ...], ordered: bool
) -> None:
    assert steps(wanted, [], update, ordered=ordered) == Steps(delete=expected)


def test_an_update_waits_for_the_pod_before() -> None:
    assert steps(row(OLD, OLD, STARTING), [], UPDATE, ordered=True) == Steps()
    assert steps(row(OLD, OLD, STARTING), [], UPDATE, ordered=False) == Steps()
    assert steps(row(OLD, OLD, ENDING), [], UPDATE, ordered=False) == Steps()


def test_what_is_missing_already_counts_towards_what_may_be_missing() -> None:
    two = Update("new", "old", 0, 2)
    assert steps(row(OLD, OLD, OLD, STARTING), [], two, ordered=False) == Steps(delete=(2,))
    assert steps(row(OLD, OLD, GONE, STARTING), [], two, ordered=False) == Steps(make=(2,))


def test_in_parallel_old_pods_that_are_down_are_replaced_at_once() -> None:
    down = replace(OLD, available=False)
    assert steps(row(down, OLD, down), [], UPDATE, ordered=False) == Steps(delete=(2, 0))


def test_a_pod_of_an_update_that_was_given_up_is_no_longer_waited_for() -> None:
    broken = Member(0, "broken")
    assert steps(row(OLD, OLD, broken), [], UPDATE, ordered=True) == Steps(delete=(2,))
    assert steps(row(OLD, OLD, broken), [], Update("old", "old", 0, 1), ordered=True) == Steps(delete=(2,))


def test_a_pod_that_never_ran_is_no_longer_waited_for_once_it_is_outdated() -> None:
    assert steps(row(replace(PULLING, revision="old")), [], UPDATE, ordered=True) == Steps(delete=(0,))
    assert steps(row(PULLING), [], UPDATE, ordered=True) == Steps()


def test_a_pod_of_the_last_good_revision_that_ran_is_waited_for() -> None:
    assert steps(row(replace(OLD, available=False), OLD), [], UPDATE, ordered=True) == Steps()


def test_a_stuck_pod_before_the_partition_stays() -> None:
    broken = Member(0, "broken")
    assert steps(row(broken, OLD), [], Update("new", "old", 1, 1), ordered=True) == Steps()
