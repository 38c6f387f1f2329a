"""The dispatcher: from the log to work in the queue."""

from __future__ import annotations

import itertools

import pytest

from app.base.errors import StoreUnavailable


def configmap(name: str, text: str = "") -> dict:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"text": text},
    }


def test_a_change_becomes_work_for_every_role_that_it_concerns(make_dispatcher, put, outbox):
    dispatcher = make_dispatcher("a")
    dispatcher.start()
    put("configmaps", configmap("x"))
    assert dispatcher.step() == 1
    assert outbox.work == [("maps", "default/x"), ("spaces", "default")]


def test_many_changes_of_a_key_make_one_piece_of_work_with_the_newest_trace(
    make_dispatcher, put, outbox, ledger
):
    dispatcher = make_dispatcher("a")
    dispatcher.start()
    for text in "abc":
        put("configmaps", configmap("x", text))
    dispatcher.step()
    assert sorted(outbox.work) == [("maps", "default/x"), ("spaces", "default")]
    assert ledger.take("maps", ["default/x"], "w", 0.0)[0].trace.cause == 3


def test_the_first_dispatcher_of_all_looks_at_everything(make_dispatcher, put, outbox):
    put("configmaps", configmap("x"))
    put("configmaps", configmap("y"))
    make_dispatcher("a").start()
    assert outbox.work == [("maps", "default/x"), ("maps", "default/y")]
    make_dispatcher("b").start()
    assert len(outbox.work) == 2


def test_dispatchers_share_the_changes(make_dispatcher, put, outbox):
    first, second = make_dispatcher("a"), make_dispatcher("b")
    first.start()
    second.start()
    put("configmaps", configmap("x"))
    first.step()
    put("configmaps", configmap("y"))
    second.step()
    assert [key for role, key in outbox.work if role == "maps"] == ["default/x", "default/y"]


def test_what_a_dead_dispatcher_left_is_taken_over(make_dispatcher, put, outbox, monkeypatch):
    first, second = make_dispatcher("a"), make_dispatcher("b")
    first.start()
    second.start()
    put("configmaps", configmap("x"))

    def die(queued):
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "publish", die)
    with pytest.raises(KeyboardInterrupt):
        first.step()
    monkeypatch.undo()
    assert second.step() == 0
    assert second.take_over() == 1
    assert second.take_over() == 0


def test_a_dispatcher_that_begins_again_after_an_error_deals_with_what_it_had(
    make_dispatcher, put, outbox, monkeypatch
):
    dispatcher = make_dispatcher("a", lease=3600)
    dispatcher.start()
    put("configmaps", configmap("x"))

    def fail(work, now):
        raise StoreUnavailable("gone")

    monkeypatch.setattr(dispatcher._ledger, "enqueue", fail)
    with pytest.raises(StoreUnavailable):
        dispatcher.step()
    monkeypatch.undo()
    dispatcher.start()
    assert ("maps", "default/x") in outbox.work


@pytest.mark.parametrize("history", [10_000, 2])
def test_whoever_falls_behind_looks_at_everything(make_dispatcher, put, outbox, store, history):
    dispatcher = make_dispatcher("a", history=history)
    dispatcher.start()
    for name in "vwxyz":
        put("configmaps", configmap(name))
    if history > 5:
        store.redis.xtrim(store.keys.log, maxlen=1, approximate=False)
    dispatcher.step()
    assert {key for role, key in outbox.work if role == "maps"} == {f"default/{name}" for name in "vwxyz"}


def test_a_resync_spreads_every_key_over_the_interval_once(make_dispatcher, put, ledger, clock):
    for n in range(20):
        put("configmaps", configmap(f"c{n}"))
    first, second = make_dispatcher("a"), make_dispatcher("b")
    assert first.resync()
    assert not second.resync()
    due = sorted(at - clock.now() for at in ledger.due().values())
    assert len(due) == 20
    assert due[0] == pytest.approx(30, abs=1)
    assert due[-1] == pytest.approx(600, abs=1)
    assert max(b - a for a, b in itertools.pairwise(due)) == pytest.approx(30, abs=1)


def test_work_that_is_already_queued_is_not_published_again(make_dispatcher, put, outbox):
    dispatcher = make_dispatcher("a")
    dispatcher.start()
    put("configmaps", configmap("x", "1"))
    dispatcher.step()
    put("configmaps", configmap("x", "2"))
    dispatcher.step()
    assert outbox.work.count(("maps", "default/x")) == 1
