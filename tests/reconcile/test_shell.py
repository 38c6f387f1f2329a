"""The shell: what it makes of a plan, and of everything that can go wrong around it."""

from __future__ import annotations

import pytest

from app.base.errors import StoreUnavailable
from app.bus.work import Work
from app.objects.change import Bind, Trace, create, delete, update
from app.objects.meta import with_meta
from workers.reconcile.plan import NOTHING, EventNote, Plan
from workers.reconcile.shell import ATTEMPTS, CHUNK, LONGEST_REST

KEY = "default/a"


def configmap(name: str, **data: str) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


def test_what_a_plan_creates_is_complete_and_says_who_made_it_and_why(world):
    world.run(
        lambda view, key, now: (
            Plan((create("configmaps", configmap("made")),)) if not view.keys("configmaps") else NOTHING
        ),
        KEY,
    )
    view = world.view()
    [made] = view.list("configmaps")
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"] == "1970-01-12T13:46:40Z"
    [change] = view.changes_since(0)
    assert (change.actor, change.trace) == ("toy", Trace("t", 1))


def test_an_update_of_the_spec_counts_the_generation_and_one_of_the_status_does_not(world):
    made = world.put(
        "pods", {"metadata": {"name": "a", "namespace": "default", "generation": 1}, "spec": {"x": 1}}
    )
    world.run(
        lambda view, key, now: Plan((update("pods", {**view.get("pods", KEY), "spec": {"x": 2}}),)), KEY
    )
    assert world.view().get("pods", KEY)["metadata"]["generation"] == 2
    world.run(
        lambda view, key, now: Plan((update("pods", {**view.get("pods", KEY), "status": {"y": 1}}),)), KEY
    )
    after = world.view().get("pods", KEY)
    assert (after["metadata"]["generation"], after["status"]) == (2, {"y": 1})
    assert after["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]


def test_an_update_that_changes_nothing_is_not_written(world):
    world.put("configmaps", configmap("a", x="1"))
    before = world.store.revision()
    world.run(
        lambda view, key, now: Plan(
            (update("configmaps", {**view.get("configmaps", KEY), "data": {"x": "1"}}),)
        ),
        KEY,
    )
    assert world.store.revision() == before


def test_an_object_whose_last_finalizer_goes_is_removed(world):
    marked = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["wait"]}
    world.put("configmaps", {**configmap("a"), "metadata": {"name": "a", "namespace": "default", **marked}})
    world.run(
        lambda view, key, now: Plan(
            (update("configmaps", with_meta(view.get("configmaps", KEY), finalizers=None)),)
        ),
        KEY,
    )
    assert world.view().get("configmaps", KEY) is None


def test_a_rejected_plan_is_made_again_on_what_others_wrote(world):
    world.put("configmaps", configmap("a", count="0"))
    plans = []

    def plan(view, key, now):
        seen = view.get("configmaps", KEY)
        plans.append(seen["data"]["count"])
        if len(plans) == 1:  # somebody else is quicker
            other = update("configmaps", {**seen, "data": {"count": "10"}})
            world.store.commit([other], actor="other", trace=Trace("o"), now=now)
        return Plan((update("configmaps", {**seen, "data": {"count": str(int(seen["data"]["count"]) + 1)}}),))

    world.run(plan, KEY)
    assert plans == ["0", "10"]
    assert world.view().get("configmaps", KEY)["data"] == {"count": "11"}
    assert world.ledger.counters() == {("toy", "processed"): 1}


def test_a_plan_that_others_always_overtake_backs_off_and_comes_again(world, clock):
    def plan(view, key, now):
        return Plan(
            (
                delete(
                    "configmaps",
                    {"metadata": {"name": "gone", "namespace": "default", "resourceVersion": "7"}},
                ),
            )
        )

    ran = world.run(plan, KEY)
    assert world.ledger.counters() == {("toy", "retried"): 1}
    assert ran.next_due is not None
    assert 0 < ran.next_due - clock.now() <= 0.05
    assert world.ledger.sweep(ran.next_due + 0.001)[0] == [("toy", KEY)]
    assert ATTEMPTS > 1


def test_a_worker_whose_lease_ended_writes_nothing(world, clock):
    world.put("configmaps", configmap("a"))
    world.ledger.enqueue([Work("toy", KEY)], clock.now())

    def slow(view, key, now):
        clock.sleep(61)
        assert world.ledger.sweep(clock.now())[0] == [("toy", KEY)]
        return Plan(
            (update("configmaps", {**view.get("configmaps", KEY), "data": {"by": "slow"}}),),
            (EventNote(view.get("configmaps", KEY), "R", "m"),),
        )

    world.shell(slow, "slow").run("toy", [KEY])
    assert world.view().get("configmaps", KEY)["data"] == {}
    assert world.view().keys("events") == []

    def quick(view, key, now):
        return Plan((update("configmaps", {**view.get("configmaps", KEY), "data": {"by": "quick"}}),))

    assert world.shell(quick, "quick").run("toy", [KEY]).taken == 1
    assert world.view().get("configmaps", KEY)["data"] == {"by": "quick"}
    assert world.ledger.counters() == {("toy", "expired"): 1, ("toy", "processed"): 1}


def test_a_plan_that_raises_backs_off_is_counted_and_told_on_its_object(world, clock):
    world.put("configmaps", configmap("a"))

    def plan(view, key, now):
        raise ValueError("no such thing")

    ran = world.run(plan, KEY)
    assert world.ledger.failures() == {("toy", KEY): 1}
    assert world.ledger.counters() == {("toy", "failed"): 1}
    assert ran.next_due is not None
    assert ran.next_due > clock.now()
    [event] = world.view().list("events")
    assert (event["type"], event["reason"], event["involvedObject"]["name"]) == (
        "Warning",
        "FailedReconcile",
        "a",
    )
    assert "no such thing" in event["message"]


def test_one_key_that_fails_does_not_keep_the_others_of_its_message(world):
    def plan(view, key, now):
        if key == "default/bad":
            raise ValueError("bad")
        return Plan((create("configmaps", configmap(key.partition("/")[2])),))

    world.run(plan, "default/a", "default/bad", "default/b")
    assert world.view().keys("configmaps") == ["default/a", "default/b"]


def test_a_plan_says_when_to_look_again(world, clock):
    ran = world.run(lambda view, key, now: Plan(requeue_after=30.0), KEY)
    assert ran.next_due == clock.now() + 30
    assert world.ledger.due() == {("toy", KEY): clock.now() + 30}


def test_work_that_came_while_it_ran_is_handed_out_to_be_published(world, clock):
    def plan(view, key, now):
        world.ledger.enqueue([Work("toy", KEY)], now)
        return NOTHING

    assert world.run(plan, KEY).publish == (("toy", KEY),)


def test_a_plan_larger_than_a_pipeline_is_committed_whole(world):
    count = 2 * CHUNK + 1

    def plan(view, key, now):
        return Plan(tuple(create("configmaps", configmap(f"c{n}")) for n in range(count)))

    world.run(plan, KEY)
    assert len(world.view().keys("configmaps")) == count
    assert world.ledger.counters() == {("toy", "processed"): 1}


def test_binds_to_one_node_are_one_batch_however_many_they_are(world):
    pods = [{"metadata": {"name": f"p{n}", "namespace": "default"}, "spec": {}} for n in range(CHUNK + 1)]
    world.store.commit([create("pods", pod) for pod in pods], actor="user", trace=Trace("t"), now=0.0)
    plans = []

    def plan(view, key, now):
        plans.append(view.revision)
        bind = Bind("n1", view.revision)
        return Plan(
            tuple(update("pods", {**p, "spec": {"nodeName": "n1"}}, bind=bind) for p in view.on_node(""))
        )

    world.run(plan, KEY)
    assert len(world.view().on_node("n1")) == CHUNK + 1
    assert len(plans) == 1


def test_keys_for_a_role_that_is_not_here_are_left_to_others(world, clock):
    world.ledger.enqueue([Work("newer", KEY)], clock.now())
    assert world.shell(lambda *_: NOTHING).run("newer", [KEY]).taken == 0
    assert world.ledger.depth() == {"newer": 1}


def test_when_redis_goes_away_amid_a_message_the_keys_are_given_back_once_it_is_there_again(world, clock):
    def plan(view, key, now):
        if key == "default/b":
            raise StoreUnavailable("gone")
        return NOTHING

    shell = world.shell(plan)
    keys = ["default/a", "default/b", "default/c"]
    world.ledger.enqueue([Work("toy", key) for key in keys], clock.now())
    with pytest.raises(StoreUnavailable):
        shell.run("toy", keys)
    assert sorted(shell.settle().publish) == [("toy", "default/b"), ("toy", "default/c")]
    assert world.ledger.running() == {}
    assert world.ledger.counters() == {("toy", "processed"): 1, ("toy", "released"): 2}
    assert shell.settle().publish == ()


def test_no_event_tells_of_a_write_that_was_rejected(world):
    taken = world.put("configmaps", configmap("taken"))
    owner = world.put("configmaps", configmap("owner"))

    def plan(view, key, now):
        names = ["free", "taken"] if view.get("configmaps", "default/free") is None else ["other"]
        return Plan(
            tuple(create("configmaps", configmap(name)) for name in names),
            tuple(EventNote(owner, "Made", f"Created {name}") for name in names),
        )

    world.run(plan, KEY)
    assert sorted(e["message"] for e in world.view().list("events")) == ["Created free", "Created other"]
    assert world.view().get("configmaps", "default/taken") == taken


@pytest.mark.parametrize(("seconds", "rests"), [(0.001, 0.0), (0.01, 0.03), (5.0, LONGEST_REST)])
def test_a_key_rests_in_proportion_to_what_its_plan_took(world, seconds, rests):
    def plan(view, key, now):
        world.ledger.enqueue([Work("toy", KEY)], now)
        world.clock.sleep(seconds)
        return NOTHING

    ran = world.run(plan, KEY)
    if not rests:
        assert ran.publish == (("toy", KEY),)
        return
    assert ran.publish == ()
    assert ran.next_due == pytest.approx(world.clock.now() + rests)
    assert world.ledger.due() == {("toy", KEY): pytest.approx(world.clock.now() + rests)}
