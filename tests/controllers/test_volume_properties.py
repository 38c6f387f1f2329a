"""What holds of claims and volumes whatever happens, and wherever the work stops between two commits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.objects import volume_matching as matching
from app.objects.persistent import FINALIZER, is_bound
from tests.controllers.test_volume_binding import CLAIMS, ROLES, VOLUMES, got, holding, phase
from tests.controllers.volumes import CLASSES, claim, storage_class, volume
from tests.controllers.worlds import World
from workers.controllers.volumes import binder as volume_binder


@pytest.fixture
def world() -> World:
    return World(ROLES)


SIZES = st.sampled_from(["1Gi", "2Gi", "3Gi"])
MODES = st.sampled_from([("ReadWriteOnce",), ("ReadWriteMany",), ("ReadWriteOnce", "ReadWriteMany")])
STORAGE = st.sampled_from(["", "local", "fast"])
NAMES = st.integers(0, 4)
STEPS = st.one_of(
    st.tuples(st.just("claim"), NAMES, STORAGE, SIZES, MODES, st.none() | NAMES),
    st.tuples(st.just("volume"), NAMES, STORAGE, SIZES, MODES, st.none() | NAMES),
    st.tuples(st.just("unclaim"), NAMES),
    st.tuples(st.just("remove volume"), NAMES),
    st.tuples(st.just("work"), st.integers(1, 6)),
    st.tuples(st.just("stale"), NAMES, NAMES),
)


def check(world: World) -> None:
    """Never two claims on one volume, never a claim on a volume that it does not fit."""
    taken: dict[str, str] = {}
    for found in world.list(CLAIMS):
        name = found["spec"].get("volumeName")
        if not is_bound(found) or found["status"]["phase"] != "Bound":
            continue
        assert name not in taken, f"{taken.get(name)} and {found['metadata']['name']} both have {name}"
        taken[name] = found["metadata"]["name"]
        held = world.get(VOLUMES, name)
        if held is not None and held["spec"].get("claimRef", {}).get("uid") == found["metadata"]["uid"]:
            assert matching.misfit(held, found) is None


def do(world: World, step: tuple[Any, ...]) -> None:
    what, number = step[0], step[1]
    if what == "claim" and world.get(CLAIMS, f"default/c{number}") is None:
        _, _, storage, size, modes, wanted = step
        more = {} if wanted is None else {"volumeName": f"v{wanted}"}
        world.put(CLAIMS, claim(f"c{number}", storage, size, modes, **more))
    elif what == "volume" and world.get(VOLUMES, f"v{number}") is None:
        _, _, storage, size, modes, wanted = step
        more = {} if wanted is None else {"claimRef": {"namespace": "default", "name": f"c{wanted}"}}
        world.put(VOLUMES, volume(f"v{number}", storage, size, modes, **more))
    elif what == "unclaim" and world.get(CLAIMS, f"default/c{number}") is not None:
        world.remove(CLAIMS, f"default/c{number}")
    elif what == "remove volume" and world.get(VOLUMES, f"v{number}") is not None:
        world.remove(VOLUMES, f"v{number}")
    elif what == "work":
        for _ in range(number):
            world.step(shuffled=True)
            check(world)
    elif what == "stale":
        # Two workers decide on the same state; the one that commits later may be overtaken.
        first = world.plan(volume_binder.ROLE, f"default/c{number}")
        second = world.plan(volume_binder.ROLE, f"default/c{step[2]}")
        for plan in (first, second):
            world.carry_out(volume_binder.NAME, f"default/c{number}", plan)
            check(world)


def test_of_two_claims_that_reach_for_one_volume_at_once_one_gets_it(world: World) -> None:
    world.put(VOLUMES, volume("v"))
    world.settle()
    for name in "ab":
        world.put(CLAIMS, claim(name))
    plans = {name: world.plan(volume_binder.ROLE, f"default/{name}") for name in "ab"}
    for name, plan in plans.items():
        world.carry_out(volume_binder.NAME, f"default/{name}", plan)
        check(world)
    world.settle()
    assert sorted(got(world, name) for name in "ab") == ["", "v"]


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40), st.integers(0, 2**16))
def test_whatever_happens_no_volume_has_two_claims_and_all_comes_to_rest(
    steps: list[tuple[Any, ...]], seed: int
) -> None:
    world = World(ROLES, seed)
    world.put("nodes", holding("n1"))
    world.put(CLASSES, storage_class("local", volumeBindingMode="Immediate"))
    for step in steps:
        do(world, step)
        check(world)
    world.settle()
    check(world)
    # Nothing is left half way: who could have a volume has one, and both sides say so.
    volumes = world.list(VOLUMES)
    for found in world.list(CLAIMS):
        if is_bound(found):
            held = world.get(VOLUMES, found["spec"]["volumeName"])
            assert (found["status"]["phase"] == "Lost") == (
                held is None or held["spec"]["claimRef"]["uid"] != found["metadata"]["uid"]
            )
        elif not found["spec"].get("volumeName"):
            assert matching.reserved(found, volumes) is None
            assert matching.fitting(found, volumes) == []
    for held in volumes:
        ref = held["spec"].get("claimRef") or {}
        if ref.get("uid"):
            owner = world.get(CLAIMS, f"default/{ref['name']}")
            alive = owner is not None and owner["metadata"]["uid"] == ref["uid"]
            assert held["status"]["phase"] == ("Bound" if alive else "Released"), held
        else:
            assert held["status"]["phase"] == "Available"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 12), st.integers(0, 2**16))
def test_stopped_after_any_commit_it_goes_on_from_there(after: int, seed: int) -> None:
    world = World(ROLES, seed)
    world.put("nodes", holding("n1"))
    world.put(CLASSES, storage_class("local", volumeBindingMode="Immediate"))
    for number in range(3):
        world.put(CLAIMS, claim(f"c{number}", "local" if number else ""))
    world.put(VOLUMES, volume("v"))
    for _ in range(after):
        world.step(shuffled=True)
    # All hints are lost; the resync looks at everything.
    world.queue.clear()
    for role in ROLES:
        for key in role.keys(world):
            world.queue[role.name, key] = None
    world.settle()
    assert {phase(world, CLAIMS, f"default/c{n}") for n in range(3)} == {"Bound"}
    assert {v["status"]["phase"] for v in world.list(VOLUMES)} == {"Bound"}
    assert all(
        FINALIZER in v["metadata"].get("finalizers", ())
        for v in world.list(VOLUMES)
        if v["metadata"]["name"] != "v"
    )
