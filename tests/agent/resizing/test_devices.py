"""GPUs: each is one container's, the same one's at each of its starts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects.change import Object
from workers.agent.resizing.devices import GPU, Gpus, NoDevice
from workers.runtime.protocol import ContainerState, PodRef, PodState, State

THERE = ("a", "b", "c", "d")


def container(name: str, number: int, **more: Any) -> Object:
    return {"name": name, "resources": {"limits": {GPU: str(number)}}, **more}


def pod(uid: str, *containers: Object, init: tuple[Object, ...] = ()) -> Object:
    return {"metadata": {"uid": uid}, "spec": {"containers": list(containers), "initContainers": list(init)}}


def test_who_asks_for_none_gets_none() -> None:
    one = {"name": "c"}
    assert Gpus().take(pod("p", one), one, ()) == ()


def test_too_many_are_refused_by_name() -> None:
    one = container("c", 3)
    with pytest.raises(NoDevice, match="nvidia.com/gpu: 3 asked for, 2 of 2 free"):
        Gpus().take(pod("p", one), one, ("a", "b"))


def test_an_init_container_leaves_its_own_to_those_after_it() -> None:
    gpus = Gpus()
    setup, main, helper = (
        container("setup", 2),
        container("main", 2),
        container("helper", 1, restartPolicy="Always"),
    )
    body = pod("p", main, init=(helper, setup))
    kept = gpus.take(body, helper, THERE[:3])
    assert (
        set(gpus.take(body, setup, THERE[:3]))
        == set(gpus.take(body, main, THERE[:3]))
        == set(THERE[:3]) - set(kept)
    )


def test_a_restarted_agent_knows_who_holds_what() -> None:
    gpus = Gpus()
    state = ContainerState("c", 0, State.RUNNING, "id", "x", gpus=("b",))
    gpus.adopt([PodState(PodRef("p", "", ""), "", True, (state,))])
    mine, other = container("c", 1), container("c", 3)
    assert gpus.take(pod("p", mine), mine, THERE) == ("b",)
    assert gpus.take(pod("q", other), other, THERE) == ("a", "c", "d")


@given(
    st.lists(
        st.tuples(st.sampled_from("pqrs"), st.sampled_from("xy"), st.integers(0, 3), st.booleans()),
        max_size=30,
    )
)
def test_none_is_ever_held_by_two(steps: list[tuple[str, str, int, bool]]) -> None:
    gpus, held = Gpus(), {}
    for uid, name, number, ends in steps:
        if ends:
            gpus.release(uid)
            held = {who: ids for who, ids in held.items() if who[0] != uid}
            continue
        one = container(name, number)
        if (uid, name) in held and len(held[uid, name]) != number:
            continue
        try:
            ids = gpus.take(pod(uid, one), one, THERE)
        except NoDevice:
            assert number > len(THERE) - sum(len(ids) for ids in held.values())
            continue
        if ids:
            assert held.get((uid, name), ids) == ids
            held[uid, name] = ids
        every = [id_ for ids in held.values() for id_ in ids]
        assert len(every) == len(set(every))
