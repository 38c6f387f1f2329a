"""The view: a fold over the log that misses nothing, whatever happens to the log."""

from __future__ import annotations

import threading
from typing import Any, NoReturn

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base.errors import LogTrimmed, StoreUnavailable
from app.objects.change import Object, Operation, Trace, create, delete, update
from app.store.store import Committed, Store
from app.store.view import View


def obj(name: str, namespace: str = "default", owner: str = "", node: str = "", value: str = "") -> Object:
    meta: Object = {"name": name, "namespace": namespace}
    if owner:
        meta["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": owner}]
    made: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"value": value}}
    if node:
        made["spec"]["nodeName"] = node
    return made


def commit(store: Store, *writes) -> list[Object]:
    done = store.commit(writes, actor="test", trace=Trace("t"), now=1.0)
    assert all(isinstance(result, Committed) for result in done), done
    return [orjson.loads(result.body) for result in done]


def contents(view: View) -> dict[str, list[Object]]:
    return {resource: view.list(resource) for resource in view.resources()}


def test_a_view_follows_what_is_committed(store: Store) -> None:
    view = View(store)
    view.catch_up()
    (made,) = commit(store, create("pods", obj("a")))
    (change,) = view.catch_up()
    assert (change.operation, change.key, change.old, change.new) == (
        Operation.ADDED,
        "default/a",
        None,
        made,
    )
    (changed,) = commit(store, update("pods", {**made, "spec": {"value": "2"}}))
    (change,) = view.catch_up()
    assert (change.operation, change.old, change.new) == (Operation.MODIFIED, made, changed)
    commit(store, delete("pods", changed))
    (change,) = view.catch_up()
    assert (change.operation, change.old) == (Operation.DELETED, changed)
    assert view.list("pods") == []
    assert view.revision == 3


class TellingLock:
    """A lock that tells when somebody comes to it."""

    def __init__(self, lock: Any, came: threading.Event) -> None:
        self._lock = lock
        self._came = came

    def __enter__(self) -> None:
        self._came.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_who_waited_for_a_read_that_failed_reads_for_itself(store: Store, monkeypatch) -> None:
    view = View(store)
    view.catch_up()
    lock, came = view.lock, threading.Event()
    found: list[str] = []

    def catch_up() -> None:
        view.catch_up()
        found.extend(view.keys("pods"))

    with lock:
        view.lock = TellingLock(lock, came)  # type: ignore[assignment]
        waiting = threading.Thread(target=catch_up)
        waiting.start()
        assert came.wait(10)
        commit(store, create("pods", obj("a")))
        with monkeypatch.context() as patched:
            patched.setattr(store.wire, "together", _unanswered)
            with pytest.raises(StoreUnavailable):
                view.catch_up()
    waiting.join(10)
    assert found == ["default/a"]


def _unanswered(*_: object) -> NoReturn:
    raise StoreUnavailable("no answer")


def test_lists_are_in_the_order_of_keys_and_of_one_namespace_if_asked(store: Store) -> None:
    commit(store, *(create("pods", obj(name, ns)) for name, ns in [("b", "y"), ("a", "y"), ("c", "x")]))
    view = View(store)
    view.catch_up()
    assert view.keys("pods") == ["x/c", "y/a", "y/b"]
    assert [p["metadata"]["name"] for p in view.list("pods", "y")] == ["a", "b"]
    assert view.list("pods", "nowhere") == []


def test_owners_and_nodes_are_found_and_follow_changes(store: Store) -> None:
    view = View(store)
    view.catch_up()
    one, _ = commit(store, create("pods", obj("a", owner="u1")), create("pods", obj("b", owner="u2")))
    view.catch_up()
    assert [p["metadata"]["name"] for p in view.owned("pods", "u1")] == ["a"]
    assert len(view.on_node("")) == 2
    assert view.any_on("")
    assert not view.any_on("n1")
    commit(store, update("pods", {**one, "spec": {"nodeName": "n1"}}))
    view.catch_up()
    assert [p["metadata"]["name"] for p in view.on_node("n1")] == ["a"]
    assert [p["metadata"]["name"] for p in view.on_node("")] == ["b"]
    assert view.dependents("u2") == [("pods", "default/b")]


def test_changes_since_a_revision_are_complete_or_refused(store: Store) -> None:
    view = View(store, history=3)
    view.catch_up()
    commit(store, *(create("pods", obj(f"p{n}")) for n in range(5)))
    view.catch_up()
    assert [c.revision for c in view.changes_since(2)] == [3, 4, 5]
    assert view.oldest == 2
    assert view.changes_since(5) == []
    with pytest.raises(LogTrimmed):
        view.changes_since(1)


def test_a_new_view_knows_what_happened_before_it(store: Store) -> None:
    (made,) = commit(store, create("pods", obj("a", value="1")))
    commit(store, update("pods", {**made, "spec": {"value": "2"}}))
    view = View(store)
    view.catch_up()
    first, second = view.changes_since(0)
    assert first.old is None
    assert second.old == made


def test_a_reader_that_the_log_was_trimmed_past_loads_anew(redis_url: str, cluster: str) -> None:
    store = Store.connect(redis_url, cluster, log_length=10)
    view = View(store)
    view.catch_up()
    commit(store, create("pods", obj("first")))
    view.catch_up()
    # Redis trims by whole nodes of the stream, 100 entries by default.
    commit(store, *(create("pods", obj(f"p{n}")) for n in range(500)))
    assert view.catch_up() == []
    assert (view.revision, view.reloads, view.epoch) == (501, 1, 0)
    assert len(view.list("pods")) == 501
    store.close()


def lose(store: Store, count: int) -> None:
    """What a failover to a replica that lags `count` commits behind does."""
    for identity, fields in store.redis.xrevrange(store.keys.log, count=count):
        store.redis.hdel(store.keys.objects(fields[b"r"].decode()), fields[b"k"])
        store.redis.xdel(store.keys.log, identity)
    store.redis.decrby(store.keys.revision, count)
    last = store.revision()
    entries = store.redis.xrange(store.keys.log)
    store.redis.delete(store.keys.log)
    for identity, fields in entries:
        store.redis.xadd(store.keys.log, fields, id=identity)
    assert store.revision() == last


def test_lost_revisions_begin_a_new_epoch_for_every_reader(redis_url: str, cluster: str) -> None:
    store = Store.connect(redis_url, cluster)
    commit(store, *(create("pods", obj(f"p{n}")) for n in range(6)))
    views = [View(store), View(store)]
    for view in views:
        view.catch_up()
    lose(store, 2)
    for view in views:
        view.catch_up()
    assert [(v.epoch, v.revision, len(v.list("pods"))) for v in views] == [(1, 4, 4)] * 2
    store.close()


def test_revisions_that_were_lost_and_then_drawn_again_are_noticed(store: Store) -> None:
    commit(store, *(create("pods", obj(f"p{n}")) for n in range(6)))
    view = View(store)
    view.catch_up()
    lose(store, 2)
    commit(store, *(create("pods", obj(f"q{n}")) for n in range(4)))
    view.catch_up()
    assert (view.epoch, view.revision) == (1, 8)
    assert "default/p5" not in view.keys("pods")
    assert "default/q0" in view.keys("pods")


def test_waiting_ends_when_something_is_committed(redis_url: str, cluster: str, store: Store) -> None:
    view = View(store)
    view.catch_up()
    other = Store.connect(redis_url, cluster)
    thread = threading.Thread(target=lambda: commit(other, create("pods", obj("a"))))
    thread.start()
    assert view.wait(10.0)
    thread.join()
    view.catch_up()
    assert not view.wait(0.001)
    other.close()


names = st.sampled_from(["a", "b", "c", "d"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "delete", "look"]), names, st.sampled_from(["", "n1", "n2"])
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
def test_folding_step_by_step_equals_loading_anew(redis_url: str, script: list[tuple[str, str, str]]) -> None:
    # A cluster of its own for every example: the id of the list is free again only after it.
    store = Store.connect(redis_url, f"fold-{id(script)}")
    store.redis.delete(*(store.redis.keys(store.key("*")) or ["none"]))
    view = View(store)
    view.catch_up()
    live: dict[str, Object] = {}
    for verb, name, node in script:
        made = obj(name, owner=f"owner-of-{node}", node=node)
        if verb == "create" and name not in live:
            (live[name],) = commit(store, create("pods", made))
        elif verb == "update" and name in live:
            made["metadata"]["resourceVersion"] = live[name]["metadata"]["resourceVersion"]
            (live[name],) = commit(store, update("pods", made))
        elif verb == "delete" and name in live:
            commit(store, delete("pods", live.pop(name)))
        elif verb == "look":
            view.catch_up()
    view.catch_up()
    fresh = View(store)
    fresh.catch_up()
    assert (
        contents(view)
        == contents(fresh)
        == ({"pods": sorted(live.values(), key=lambda p: p["metadata"]["name"])} if live else {})
    )
    for node in ("", "n1", "n2"):
        by_name = [sorted(p["metadata"]["name"] for p in v.on_node(node)) for v in (view, fresh)]
        assert (
            by_name[0]
            == by_name[1]
            == sorted(n for n, p in live.items() if p["spec"].get("nodeName", "") == node)
        )
        owned = [
            sorted(p["metadata"]["name"] for p in v.owned("pods", f"owner-of-{node}")) for v in (view, fresh)
        ]
        assert owned[0] == owned[1] == by_name[0]
    store.close()
