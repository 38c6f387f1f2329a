"""Pulls of a node side by side: shared, limited, watched, cancelled. Nothing here runs by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.images.store import ImageWorld
from tests.agent.world import pod, waiting
from workers.agent.images.pulls import Fetched, Pull, Pulls, Ticket, stalled
from workers.agent.jobs import SteppedJobs
from workers.agent.record import Record
from workers.runtime import images


class LaterJobs(SteppedJobs):
    """Long things wait until they are told to run."""

    def __init__(self, clock) -> None:  # type: ignore[no-untyped-def]
        super().__init__(clock)
        self.long: list[Callable[[], None]] = []

    def beside(self, run: Callable[[], None]) -> None:
        self.long.append(run)


class SlowWorld(ImageWorld):
    """Pulls end when `finish` is called."""

    def begin(self) -> None:
        super().begin()
        later = LaterJobs(self.clock)
        self.jobs.beside = later.beside  # type: ignore[method-assign]
        self.long = later.long

    def finish(self, number: int = 0) -> None:
        self.long.pop(number)()
        self.run()


@pytest.fixture
def world(tmp_path: Path) -> SlowWorld:
    return SlowWorld(tmp_path, parallel_pulls=2)


def image(name: str) -> str:
    return f"r.example.com/{name}:1"


def put(world: SlowWorld, name: str, *images_: str) -> str:
    wanted = pod(name, image=image(images_[0]))
    for each in images_[1:]:
        wanted["spec"]["containers"].append({"name": each, "image": image(each)})
    return world.api.put(wanted)


def runs(world: SlowWorld, uid: str) -> bool:
    return bool(world.status(uid).get("phase") == "Running")


def test_a_pull_is_told_before_it_begins_and_holds_up_no_other_pod(world: SlowWorld) -> None:
    world.store.serve(image("slow"))
    world.store.put(image("here"))
    slow, other = put(world, "slow", "slow"), put(world, "other", "here")
    world.change()
    assert world.said(slow, "Pulling") == [f'Pulling image "{image("slow")}"']
    assert world.store.pulled == []
    assert waiting(world.status(slow)) == "ContainerCreating"
    assert runs(world, other)
    world.finish()
    assert runs(world, slow)


def test_the_same_image_is_pulled_once_for_all_who_wait(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    uids = [put(world, f"p{n}", "a") for n in range(5)]
    world.change()
    assert len(world.long) == 1
    world.finish()
    assert all(runs(world, uid) for uid in uids)
    assert len(world.store.pulled) == 1
    assert all(len(world.said(uid, "Pulled")) == 1 for uid in uids)


def test_so_many_run_at_once_and_the_others_follow(world: SlowWorld) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        world.store.serve(image(name))
    uids = [put(world, name, name) for name in names]
    world.change()
    assert len(world.long) == 2
    world.finish()
    assert len(world.long) == 2
    world.clock.move(30)
    while world.long:
        world.finish()
    assert all(runs(world, uid) for uid in uids)
    assert "in 1s (32s including waiting)" in world.said(uids[3], "Pulled")[0]


def test_a_pods_images_are_pulled_side_by_side_and_its_containers_start_in_order(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    world.store.serve(image("b"))
    uid = put(world, "two", "a", "b")
    world.change()
    assert len(world.long) == 2
    world.finish(1)
    assert not world.machine.pods[uid].containers, "the second waits for the first to start"
    world.finish()
    assert [c.spec.name for c in world.machine.pods[uid].containers] == ["web", "b"]


def test_one_whose_image_is_here_waits_for_the_containers_before_it(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    world.store.put(image("b"))
    uid = put(world, "two", "a", "b")
    world.change()
    world.run(30)
    assert not world.machine.pods[uid].containers
    world.finish()
    assert [c.spec.name for c in world.machine.pods[uid].containers] == ["web", "b"]


def test_a_pod_deleted_during_its_pull_goes_at_once_and_the_pull_with_it(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    uid = put(world, "gone", "a")
    world.change()
    world.api.delete(uid, 30, world.clock.now())
    world.change()
    assert uid not in world.api.pods
    world.finish()
    assert image("a") not in world.store.here


def test_the_pull_goes_on_for_another_who_waits(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    gone, stays = put(world, "gone", "a"), put(world, "stays", "a")
    world.change()
    world.api.delete(gone, 0, world.clock.now())
    world.change()
    world.finish()
    assert runs(world, stays)
    assert len(world.store.pulled) == 1


def test_a_cancelled_pull_makes_room_and_one_asked_for_anew_is_another(world: SlowWorld) -> None:
    for name in ("a", "b", "c"):
        world.store.serve(image(name))
    first = put(world, "first", "a")
    others = [put(world, name, name) for name in ("b", "c")]
    world.change()
    world.api.delete(first, 0, world.clock.now())
    again = put(world, "again", "a")
    world.change()
    while world.long:
        world.finish()
    assert all(runs(world, uid) for uid in (again, *others))


def test_how_far_a_pull_is_is_told_now_and_then(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    uid = put(world, "p", "a")

    def pull_halfway(transfer) -> None:  # type: ignore[no-untyped-def]
        for done in (50_000_000, 100_000_000, 150_000_000):
            transfer.tell(done, 400_000_000, True)
            world.run(16)

    world.store.during = pull_halfway
    world.change()
    world.finish()
    told = world.said(uid, "Pulling")
    assert f'Pulling image "{image("a")}": 50MB of 400MB' in told
    assert f'Pulling image "{image("a")}": 150MB of 400MB' in told
    assert runs(world, uid)


def test_a_pull_without_progress_is_cancelled_told_and_tried_again(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    uid = put(world, "p", "a")
    world.change()
    world.run(70)
    assert waiting(world.status(uid)) in ("ErrImagePull", "ImagePullBackOff")
    said = f'Failed to pull image "{image("a")}": the pull was cancelled: no progress for 60 seconds'
    assert said in world.said(uid, "Failed")
    assert len(world.long) == 2, "the engine's own call, which ends for itself, and the next try"
    world.finish()
    assert not runs(world, uid), "what was cancelled is not believed"
    world.finish()
    assert runs(world, uid)


moments = st.floats(0, 1000)


@given(st.lists(st.tuples(moments, st.booleans()), min_size=1, max_size=5), st.floats(0, 100))
def test_a_pull_that_waits_for_others_stalls_only_when_all_do(
    pulls: list[tuple[float, bool]], patience: float
) -> None:
    active = []
    for moved, busy in pulls:
        each = Pull(images.parse("web"), (), moved=moved)
        each.transfer.busy = busy
        active.append(each)
    now = 1000.0
    for each in active:
        late = now - each.moved >= patience
        all_late = all(now - other.moved >= patience for other in active)
        assert stalled(each, active, now, patience) == (late if each.transfer.busy else all_late)


class Gap:
    """A lock; something else happens the next time that it is given back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.then: Callable[[], None] | None = None

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        then, self.then = self.then, None
        if then is not None:
            then()


def test_who_asks_for_an_image_while_its_pull_is_given_up_has_another_pull(world: SlowWorld) -> None:
    world.store.serve(image("a"))
    settled: list[Pull] = []
    pulls = Pulls("n1", world.store, world.jobs, world.clock, 2, 60.0, lambda pull, now: None, settled.append)
    gap = pulls._lock = Gap()  # type: ignore[assignment]
    wanted = images.parse(image("a"))
    first, second = (Ticket(Record(pod(name)), "web", False, image("a"), (), 0.0) for name in ("p1", "p2"))
    pulls.ask(wanted, (), first)
    gap.then = lambda: pulls.ask(wanted, (), second)
    pulls.leave(first)
    while world.long:
        world.finish()
    assert second.pull in settled
    assert isinstance(second.pull.outcome, Fetched)
