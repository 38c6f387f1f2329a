"""The log as dispatchers share it."""

from __future__ import annotations

from app.objects.change import Trace, Verb, Write
from app.store.feed import Feed
from app.store.store import Store


def commit(store: Store, *names: str) -> None:
    writes = [
        Write(
            Verb.CREATE, "configmaps", f"default/{name}", {"metadata": {"name": name, "namespace": "default"}}
        )
        for name in names
    ]
    store.commit(writes, actor="test", trace=Trace("t"), now=1.0)


def test_the_first_to_join_learns_that_nobody_dispatched_so_far(store: Store) -> None:
    commit(store, "before")
    assert Feed(store, "a").join()
    assert not Feed(store, "b").join()
    assert Feed(store, "b").read(0).revisions == ()


def test_each_entry_goes_to_one_member(store: Store) -> None:
    a, b = Feed(store, "a"), Feed(store, "b")
    a.join()
    commit(store, "x", "y")
    assert a.read(0).revisions == (1, 2)
    assert b.read(0).revisions == ()
    commit(store, "z")
    assert b.read(0).revisions == (3,)


def test_a_dead_members_entries_are_taken_over_and_acknowledged_ones_are_not(store: Store) -> None:
    a, b = Feed(store, "a"), Feed(store, "b")
    a.join()
    commit(store, "x", "y")
    a.read(0)
    a.ack([1])
    a.settle()
    assert b.claim_stale(idle=3600).revisions == ()
    assert b.claim_stale(idle=0).revisions == (2,)
    b.ack([2])
    assert b.claim_stale(idle=0).revisions == ()


def test_acknowledgements_are_not_kept_back_for_ever(store: Store) -> None:
    a, b = Feed(store, "a"), Feed(store, "b")
    a.join()
    commit(store, *(f"c{n}" for n in range(600)))
    while handed := a.read(0).revisions:
        a.ack(handed)
    assert b.claim_stale(idle=0).revisions == tuple(range(501, 601))
    a.claim_stale(idle=3600)  # as every member does every few seconds
    assert b.claim_stale(idle=0).revisions == ()


def test_what_a_member_dealt_with_is_not_handed_to_it_again_after_an_error(store: Store) -> None:
    a = Feed(store, "a")
    a.join()
    commit(store, "x", "y")
    a.read(0)
    a.ack([1])
    assert a.resume().revisions == (2,)


def test_a_group_that_fell_behind_the_trimming_says_so(store: Store) -> None:
    feed = Feed(store, "a")
    feed.join()
    commit(store, "w", "x", "y", "z")
    store.redis.xtrim(store.keys.log, maxlen=2, approximate=False)
    batch = feed.read(0)
    assert batch.behind
    assert batch.revisions == (3, 4)
    commit(store, "later")
    assert not feed.read(0).behind


def test_a_group_that_was_taken_away_begins_anew(store: Store) -> None:
    feed = Feed(store, "a")
    feed.join()
    commit(store, "x")
    store.redis.delete(store.keys.log)
    assert feed.read(0).behind
    assert not feed.read(0).behind
    commit(store, "y")
    assert feed.read(0).revisions == (2,)


def test_who_leaves_with_nothing_open_is_forgotten(store: Store) -> None:
    feed = Feed(store, "a")
    feed.join()
    commit(store, "x")
    feed.read(0)
    feed.leave()
    assert len(store.redis.xinfo_consumers(store.keys.log, "dispatch")) == 1
    feed.ack([1])
    feed.leave()
    assert store.redis.xinfo_consumers(store.keys.log, "dispatch") == []
