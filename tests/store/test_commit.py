"""The one commit: its preconditions, and that object and log never disagree."""

from __future__ import annotations

import threading

import orjson
import pytest

from app.base.errors import StoreUnavailable
from app.objects.change import Bind, Object, Trace, create, delete, revision_of, update
from app.store.store import Committed, Fence, Rejected, Store
from app.store.view import View

TRACE = Trace("0123456789abcdef", 0)


def config(name: str, **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


def commit(store: Store, *writes, fence: Fence | None = None) -> list[Committed | Rejected]:
    return store.commit(writes, actor="test", trace=TRACE, now=1000.0, fence=fence)


def put(store: Store, obj: Object) -> Object:
    (done,) = commit(store, create("configmaps", obj))
    assert isinstance(done, Committed)
    return orjson.loads(done.body)


def stored(store: Store, name: str) -> Object | None:
    found = store.get("configmaps", f"default/{name}")
    return orjson.loads(found.body) if found else None


def test_a_commit_carries_its_own_revision_in_the_body(store: Store) -> None:
    made = put(store, config("a", x="1"))
    assert made["metadata"]["resourceVersion"] == "1"
    assert stored(store, "a") == made
    assert store.revision() == 1


def test_a_resource_version_given_by_the_writer_is_overwritten(store: Store) -> None:
    obj = config("a")
    obj["metadata"]["resourceVersion"] = "77"
    assert put(store, obj)["metadata"]["resourceVersion"] == "1"


@pytest.mark.parametrize("name", ["metadata", '"},"x":"', "ünï"])
def test_bodies_survive_whatever_their_strings_hold(store: Store, name: str) -> None:
    obj = {**config("a", k=name), '","metadata":{': name}
    made = put(store, obj)
    assert made["data"] == {"k": name}
    assert made['","metadata":{'] == name


def test_an_object_of_nothing_but_metadata_is_valid_json(store: Store) -> None:
    (done,) = commit(store, create("things", {"metadata": {"name": "a"}}))
    assert orjson.loads(done.body) == {"metadata": {"resourceVersion": "1", "name": "a"}}


def test_creating_what_exists_is_rejected_and_changes_nothing(store: Store) -> None:
    put(store, config("a", x="1"))
    assert commit(store, create("configmaps", config("a", x="2"))) == [Rejected("exists", 1)]
    assert stored(store, "a")["data"] == {"x": "1"}
    assert store.revision() == 1


def test_an_update_from_an_old_revision_is_rejected(store: Store) -> None:
    first = put(store, config("a", x="1"))
    (second,) = commit(store, update("configmaps", {**first, "data": {"x": "2"}}))
    assert isinstance(second, Committed)
    assert commit(store, update("configmaps", {**first, "data": {"x": "3"}})) == [Rejected("modified", 2)]
    assert stored(store, "a")["data"] == {"x": "2"}


def test_updating_or_deleting_what_is_gone_is_rejected(store: Store) -> None:
    made = put(store, config("a"))
    assert isinstance(commit(store, delete("configmaps", made))[0], Committed)
    assert commit(store, update("configmaps", made), delete("configmaps", made)) == [
        Rejected("absent"),
        Rejected("absent"),
    ]
    assert stored(store, "a") is None


def test_revisions_have_no_gaps_and_rejected_writes_draw_none(store: Store) -> None:
    results = commit(
        store,
        create("configmaps", config("a")),
        create("configmaps", config("a")),
        create("configmaps", config("b")),
    )
    assert [r.revision for r in results if isinstance(r, Committed)] == [1, 2]
    view = View(store)
    view.catch_up()
    assert [change.revision for change in view.changes_since(0)] == [1, 2]


def test_object_and_log_hold_the_same_bytes(store: Store) -> None:
    made = put(store, config("a", x="1"))
    commit(store, update("configmaps", {**made, "data": {"x": "2"}}))
    view = View(store)
    view.catch_up()
    assert view.changes_since(0)[-1].new == stored(store, "a")


def test_of_many_writers_from_one_revision_exactly_one_wins(redis_url: str, cluster: str) -> None:
    base = put(Store.connect(redis_url, cluster), config("a", by="nobody"))
    results: list[Committed | Rejected] = []

    def write(number: int) -> None:
        mine = Store.connect(redis_url, cluster)
        results.extend(commit(mine, update("configmaps", {**base, "data": {"by": str(number)}})))
        mine.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(r).__name__ for r in results) == ["Committed"] + ["Rejected"] * 7


def pod(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": {}}


def bound(obj: Object, node: str, view_revision: int):
    return update("pods", {**obj, "spec": {"nodeName": node}}, bind=Bind(node, view_revision))


def test_one_batch_may_bind_many_pods_to_a_node_but_a_second_from_the_same_view_may_not(store: Store) -> None:
    made = commit(store, *(create("pods", pod(f"p{n}")) for n in range(4)))
    one, two, three, four = (orjson.loads(r.body) for r in made)
    seen = store.revision()
    first = commit(store, bound(one, "n1", seen), bound(two, "n1", seen))
    assert all(isinstance(r, Committed) for r in first)
    assert commit(store, bound(three, "n1", seen)) == [Rejected("bound", 3)]
    assert isinstance(commit(store, bound(four, "n2", seen))[0], Committed)
    assert isinstance(commit(store, bound(three, "n1", store.revision()))[0], Committed)


def test_a_claim_is_held_by_one_object_until_it_is_released(store: Store) -> None:
    claim = "clusterIP/10.96.0.7"
    (first,) = commit(store, create("configmaps", config("a"), claims=[claim]))
    assert commit(store, create("configmaps", config("b"), claims=[claim])) == [Rejected("claimed", 0, claim)]
    assert stored(store, "b") is None
    assert store.claims() == {claim: "configmaps default/a"}
    commit(store, delete("configmaps", orjson.loads(first.body), releases=[claim]))
    assert isinstance(commit(store, create("configmaps", config("b"), claims=[claim]))[0], Committed)


def test_nobody_can_release_what_another_holds(store: Store) -> None:
    claim = "clusterIP/10.96.0.7"
    commit(store, create("configmaps", config("a"), claims=[claim]))
    other = put(store, config("b"))
    commit(store, delete("configmaps", other, releases=[claim]))
    assert store.claims() == {claim: "configmaps default/a"}


def test_a_worker_that_lost_its_key_commits_nothing(store: Store) -> None:
    fence = Fence("toy|default/a", "token-1")
    store.redis.hset(store.keys.running, fence.field, fence.token)
    assert isinstance(commit(store, create("configmaps", config("a")), fence=fence)[0], Committed)
    store.redis.hset(store.keys.running, fence.field, "token-2")
    assert commit(store, create("configmaps", config("b")), fence=fence) == [Rejected("fenced")]
    assert stored(store, "b") is None


def test_a_commit_within_a_namespace_needs_it_there_and_not_on_its_way_out(store: Store) -> None:
    def attempt(name: str) -> Committed | Rejected:
        return commit(store, create("configmaps", config(name), within="default"))[0]

    namespace = {"metadata": {"name": "default", "annotations": {"deletionTimestamp": "no such thing"}}}
    assert attempt("a") == Rejected("namespace")
    (made,) = commit(store, create("namespaces", namespace))
    assert isinstance(attempt("b"), Committed)
    going = orjson.loads(made.body)
    going["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    commit(store, update("namespaces", going))
    assert attempt("c") == Rejected("namespace")
    assert (stored(store, "a"), stored(store, "c")) == (None, None)


def test_who_wrote_and_why_is_in_the_log(store: Store) -> None:
    store.commit([create("configmaps", config("a"))], actor="jane", trace=Trace("abc", 7), now=1234.5)
    view = View(store)
    view.catch_up()
    (change,) = view.changes_since(0)
    assert (change.actor, change.trace, change.at) == ("jane", Trace("abc", 7), 1234.5)


def test_an_acknowledged_commit_survives_a_killed_redis(own_valkey) -> None:
    store = Store.connect(own_valkey.url)
    made = [put(store, config(f"c{n}")) for n in range(50)]
    own_valkey.kill()
    with pytest.raises(StoreUnavailable):
        commit(store, create("configmaps", config("late")))
    own_valkey.start()
    found = [stored(store, f"c{n}") for n in range(50)]
    assert found == made
    view = View(store)
    view.catch_up()
    assert [revision_of(change.new) for change in view.changes_since(0)] == list(range(1, 51))


def test_commits_go_on_after_a_restart_that_forgot_the_scripts(own_valkey) -> None:
    store = Store.connect(own_valkey.url)
    put(store, config("a"))
    own_valkey.kill()
    own_valkey.start()
    results = commit(store, create("configmaps", config("b")), create("configmaps", config("c")))
    assert [r.revision for r in results] == [2, 3]
    assert put(store, config("d"))["metadata"]["resourceVersion"] == "4"
