"""Which pod of a DaemonSet comes or goes, from every state that a step may have been cut short in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workers.controllers.daemon.nodes import Fit
from workers.controllers.daemon.steps import Daemon, Limits, Place, Steps, steps

HERE = Fit(True, True)
STAYS = Fit(False, True)
NOT_HERE = Fit(False, False)
NEW = Daemon("new", available=True)
STARTING = Daemon("starting")
OLD = Daemon("old", new=False, available=True)
DOWN = Daemon("down", new=False)
ENDING = Daemon("ending", new=False, available=True, terminating=True)
FAILED = Daemon("failed", finished=True)
ONE_OFF = Limits(0, 1)
SURGE = Limits(1, 0)


def places(*found: Place | tuple[Daemon, ...] | Daemon | None) -> list[Place]:
    """Places on nodes a, b, c ... Pods get their node's name in front."""
    made = []
    for node, each in zip("abcdefgh", found, strict=False):
        given = each if isinstance(each, tuple) else (each,) if isinstance(each, Daemon) else ()
        place = each if isinstance(each, Place) else Place(node, HERE, given)
        own = tuple(replace(pod, name=f"{node}-{pod.name}") for pod in place.pods)
        made.append(replace(place, node=node, pods=own))
    return made


@pytest.mark.parametrize("limits", [None, ONE_OFF, SURGE])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (places(None, NEW, None), Steps(make=("a", "c"))),
        (places(Place("", NOT_HERE), Place("", STAYS)), Steps()),
        (places(Place("", STAYS, (NEW,)), Place("", NOT_HERE, (NEW,))), Steps(delete=("b-new",))),
        (places(Place("", NOT_HERE, (replace(NEW, terminating=True), FAILED))), Steps(delete=("a-failed",))),
        (places(replace(NEW, terminating=True)), Steps()),
        (places(FAILED), Steps(delete=("a-failed",))),
        (places(replace(FAILED, resting=True)), Steps()),
        (places((NEW, replace(NEW, name="second"))), Steps(delete=("a-second",))),
    ],
)
def test_each_node_has_the_one_pod_it_should(
    found: list[Place], expected: Steps, limits: Limits | None
) -> None:
    assert steps(found, limits) == expected


@pytest.mark.parametrize(
    ("found", "limits", "expected"),
    [
        (places(OLD, OLD, OLD), ONE_OFF, Steps(delete=("a-old",))),
        (places(OLD, OLD, OLD), Limits(0, 2), Steps(delete=("a-old", "b-old"))),
        (places(ENDING, OLD, OLD), ONE_OFF, Steps()),
        (places(None, OLD, OLD), ONE_OFF, Steps(make=("a",))),
        (places(STARTING, OLD, OLD), ONE_OFF, Steps()),
        (places(NEW, OLD, OLD), ONE_OFF, Steps(delete=("b-old",))),
        (places(DOWN, OLD, OLD), ONE_OFF, Steps(delete=("a-down",))),
        (places(OLD, DOWN, DOWN), ONE_OFF, Steps(delete=("b-down", "c-down"))),
        (places(OLD, OLD), None, Steps()),
        (places((OLD, STARTING)), ONE_OFF, Steps(delete=("a-starting", "a-old"))),
    ],
)
def test_without_surge_old_pods_go_as_far_as_nodes_may_be_without(
    found: list[Place], limits: Limits, expected: Steps
) -> None:
    assert steps(found, limits) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (places(OLD, OLD, OLD), Steps(make=("a",))),
        (places((OLD, STARTING), OLD, OLD), Steps()),
        (places((OLD, NEW), OLD, OLD), Steps(delete=("a-old",))),
        (places((ENDING, NEW), OLD), Steps(make=("b",))),
        (places((DOWN, STARTING), OLD), Steps(delete=("a-down",))),
        (places(DOWN, DOWN, OLD), Steps(make=("a", "b", "c"))),
        (places((OLD, STARTING, replace(STARTING, name="third"))), Steps(delete=("a-third",))),
        (places(Place("", STAYS, (OLD,)), NEW), Steps()),
    ],
)
def test_with_surge_the_new_pod_comes_first(found: list[Place], expected: Steps) -> None:
    assert steps(found, SURGE) == expected
