"""Images go when the disk is full: those that the agent pulled, that nobody uses, unused longest first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.images.store import ImageWorld, Store
from tests.agent.world import pod
from workers.agent.images import collection as image_collection
from workers.agent.images.keeper import ImageKeeper
from workers.agent.images.memory import Pulled
from workers.runtime.image_store import Disk
from workers.runtime.protocol import ContainerError

FULL = Disk(100_000, 10_000)


@pytest.fixture
def world(tmp_path: Path) -> ImageWorld:
    return ImageWorld(tmp_path)


def keeper(world: ImageWorld) -> ImageKeeper:
    found = world.agent.around.image_keeper
    assert found is not None
    return found


def pull(world: ImageWorld, *names: str) -> None:
    """Have pods pull these, one after the other, and go again."""
    for name in names:
        world.store.serve(f"r.example.com/{name}:1")
        uid = world.api.put(pod(name, image=f"r.example.com/{name}:1"))
        world.change()
        assert world.status(uid)["phase"] == "Running"
        world.api.delete(uid, 0, world.clock.now())
        world.run(10)


def left(store: Store) -> list[str]:
    return sorted(store.here)


def test_the_longest_unused_go_until_there_is_room(world: ImageWorld) -> None:
    pull(world, "a", "b", "c")
    world.run(130)
    assert keeper(world).free_images(1500) == 2000
    assert left(world.store) == ["r.example.com/c:1"]


def test_what_is_used_or_pinned_or_young_or_anothers_stays(world: ImageWorld) -> None:
    world.store.put("mine:1")
    pull(world, "used", "kept")
    world.run(130)
    pull(world, "young")
    world.store.used = {world.store.here["r.example.com/used:1"].id}
    world.store.kept = {"r.example.com/kept:1"}
    before = left(world.store)
    assert keeper(world).free_images(10**9) == 0
    assert left(world.store) == before
    assert "mine:1" in before


def test_an_image_that_others_gave_a_name_too_stays_under_that(world: ImageWorld) -> None:
    pull(world, "a")
    world.run(130)
    world.store.here["mine:1"] = type(world.store.here["r.example.com/a:1"])(
        world.store.here["r.example.com/a:1"].id, ("mine:1",), (), 1000
    )
    assert keeper(world).free_images(1) == 0
    assert left(world.store) == ["mine:1"]


def test_the_older_content_of_a_tag_goes_as_well(world: ImageWorld) -> None:
    name = "r.example.com/a:1"
    pull(world, "a")
    old = world.store.here[name]
    world.store.serve(name)
    uid = world.api.put(pod("again", image=name, imagePullPolicy="Always"))
    world.change()
    assert world.status(uid)["phase"] == "Running"
    assert {each.id for each in world.store.all()} == {old.id, world.store.here[name].id}
    world.store.used = {world.store.here[name].id}
    world.run(130)
    assert keeper(world).free_images(1) == 1000
    assert left(world.store) == [name]


def test_one_that_the_engine_refuses_to_remove_does_not_save_the_others(world: ImageWorld) -> None:
    pull(world, "a", "b")
    world.run(130)
    world.store.refuses = {"r.example.com/a:1"}
    with pytest.raises(ContainerError, match="freed 1000 bytes space with errors in image deletion"):
        keeper(world).free_images(10**9)
    assert left(world.store) == ["r.example.com/a:1"]


def test_a_full_disk_is_noticed_and_its_images_collected(world: ImageWorld) -> None:
    pull(world, "a", "b")
    world.store.disk_is = FULL
    world.run(400)
    assert left(world.store) == []
    said = [m for _, reason, m in world.api.events if reason == "FreeDiskSpaceFailed"]
    assert said == [
        "Failed to garbage collect required amount of images. "
        "Attempted to free 10000 bytes, but only found 2000 bytes eligible to free."
    ]


def test_a_disk_with_room_keeps_its_images(world: ImageWorld) -> None:
    pull(world, "a", "b")
    world.run(400)
    assert len(left(world.store)) == 2
    world.store.disk_is = None
    world.run(400)
    assert len(left(world.store)) == 2


def test_an_engine_that_refuses_is_told_of(world: ImageWorld) -> None:
    pull(world, "a")
    world.store.disk_is, world.store.refuses = FULL, {"r.example.com/a:1"}
    world.run(400)
    assert any(reason == "ImageGCFailed" for _, reason, _ in world.api.events)


def test_the_node_lists_its_images_the_biggest_first(world: ImageWorld) -> None:
    world.store.put("small:1", size=1)
    for number in range(60):
        world.store.put(f"big:{number}", size=1000 + number)
    world.change()
    world.run(70)
    assert world.api.node is not None
    listed = world.api.node["status"]["images"]
    assert len(listed) == 50
    assert listed[0] == {"names": ["big:59"], "sizeBytes": 1059}


images = st.builds(
    Pulled,
    id=st.sampled_from([f"i{n}" for n in range(9)]),
    size=st.integers(0, 100),
    pulled=st.floats(0, 1000),
    used=st.floats(0, 1000),
    names=st.lists(st.sampled_from(["a", "b", "pause"]), max_size=2),
)


@given(st.lists(images, max_size=8), st.sets(st.sampled_from([f"i{n}" for n in range(9)])))
def test_only_old_unused_unpinned_images_are_candidates_in_order_of_use(
    held: list[Pulled], in_use: set[str]
) -> None:
    found = image_collection.candidates(held, in_use, {"pause"}, 1000.0)
    assert all(each in held for each in found)
    for each in held:
        may_go = each.id not in in_use and each.pulled <= 880.0 and "pause" not in each.names
        assert (each in found) == may_go
    assert [each.used for each in found] == sorted(each.used for each in found)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 100), st.integers(0, 99))
def test_room_is_asked_for_above_the_high_mark_and_brings_it_to_the_low_one(
    capacity: int, available: int, high: int, low: int
) -> None:
    available = min(available, capacity)
    asked = image_collection.wanted(Disk(capacity, available), high, low)
    used = capacity - available
    assert asked >= 0
    if asked:
        assert used * 100 > (high - 1) * capacity
        assert low * capacity <= (used - asked) * 100 < low * capacity + 100
    elif capacity:
        assert used * 100 < high * capacity or used * 100 <= low * capacity + 100


def test_how_long_one_was_unused_counts_from_its_last_container(world: ImageWorld) -> None:
    pull(world, "a", "b")
    world.store.used = {world.store.here["r.example.com/a:1"].id}
    world.run(130)
    world.store.used = set()
    keeper(world).free_images(1)
    assert left(world.store) == ["r.example.com/a:1"]
