from __future__ import annotations

from app.objects.change import Object
from app.store.store import Store
from app.store.usage import LIFE, UsageState

NODE = {"metadata": {"name": "n1"}}


def report(window: float = 15.0) -> Object:
    return {"at": 1_800_000_000.0, "window": window, "cpu": 1, "memory": 2, "pods": {}}


def test_the_newest_report_of_each_node_is_known(store: Store) -> None:
    state = UsageState(store)
    state.keep({"n1": report(), "n2": report()})
    state.keep({"n1": {**report(), "cpu": 5}})
    usage = state.of(["n1", "n3"])
    found = usage.of_node(NODE)
    assert found is not None
    assert found["usage"] == {"cpu": "5n", "memory": "2"}
    assert usage.of_node({"metadata": {"name": "n2"}}) is None  # not asked for
    assert usage.of_node({"metadata": {"name": "n3"}}) is None
    assert state.of([]).of_node(NODE) is None


def test_a_report_is_forgotten_by_itself_later_if_it_covers_a_longer_time(store: Store) -> None:
    state = UsageState(store)
    state.keep({"n1": report(), "n2": report(window=100.0)})
    assert 0 < store.redis.pttl(store.key("usage:n1")) <= LIFE * 1000
    assert store.redis.pttl(store.key("usage:n2")) > LIFE * 1000


def test_it_is_no_part_of_the_state(store: Store) -> None:
    before = store.revision()
    UsageState(store).keep({"n1": report()})
    assert store.revision() == before
