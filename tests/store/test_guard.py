"""The guard of admission: what was admitted commits only while the rules, and the usage, are as they were seen."""

from __future__ import annotations

from typing import Any

from app.objects.change import Guard, Object, Trace, Verb, Write, create, delete, update
from app.objects.rules import CLUSTER, rules_of
from app.store.store import Committed, Rejected, Store


def named(name: str, namespace: str = "a") -> Object:
    meta = {"name": name, "uid": name, **({"namespace": namespace} if namespace else {})}
    return {"metadata": meta}


def commit(store: Store, *writes: Write) -> list[Any]:
    return store.commit(list(writes), actor="t", trace=Trace("t"), now=1.0)


def pod(name: str, revision: int, counted: int | None = None, namespace: str = "a") -> Write:
    return create("pods", named(name, namespace), guard=Guard(namespace, revision, counted))


def why(result: Committed | Rejected) -> str:
    return result.why if isinstance(result, Rejected) else ""


def test_a_rule_of_the_namespace_or_the_cluster_that_came_since_rejects(store: Store) -> None:
    (made,) = commit(store, create("limitranges", named("l")))
    assert why(commit(store, pod("p", made.revision - 1))[0]) == "rules"
    assert why(commit(store, pod("p", made.revision))[0]) == ""
    assert why(commit(store, pod("q", 0, namespace="b"))[0]) == ""
    (made,) = commit(store, create("priorityclasses.scheduling.k8s.io", named("c", "")))
    assert why(commit(store, pod("r", made.revision - 1, namespace="b"))[0]) == "rules"


def test_changing_and_removing_a_rule_count_too(store: Store) -> None:
    quota = named("q")
    (made,) = commit(store, create("resourcequotas", quota))
    quota["metadata"]["resourceVersion"] = str(made.revision)
    (changed,) = commit(store, update("resourcequotas", quota))
    assert why(commit(store, pod("p", made.revision))[0]) == "rules"
    quota["metadata"]["resourceVersion"] = str(changed.revision)
    commit(store, delete("resourcequotas", quota))
    assert why(commit(store, pod("p", changed.revision))[0]) == "rules"


def test_a_status_is_no_rule(store: Store) -> None:
    (made,) = commit(store, create("resourcequotas", named("q")))
    status = Write(Verb.UPDATE, "resourcequotas", "a/q", named("q"), status_only=True)
    assert rules_of(status) == ""
    commit(store, status)
    assert why(commit(store, pod("p", made.revision))[0]) == ""


def test_of_two_batches_charged_on_the_same_usage_one_commits(store: Store) -> None:
    first = commit(store, pod("p", 0, 0), pod("q", 0, 0))
    assert [why(each) for each in first] == ["", ""]
    assert why(commit(store, pod("r", 0, 0))[0]) == "charged"
    assert why(commit(store, pod("r", 0, first[-1].revision))[0]) == ""
    assert why(commit(store, pod("s", 0, 0, namespace="b"))[0]) == ""


def test_what_is_not_charged_waits_for_nobody(store: Store) -> None:
    commit(store, pod("p", 0, 0))
    assert why(commit(store, pod("q", 0))[0]) == ""


def test_nothing_is_left_of_a_namespace_that_went(store: Store) -> None:
    commit(store, create("namespaces", named("a", "")), create("limitranges", named("l")), pod("p", 9, 9))
    assert store.wire.call("HLEN", store.keys.admitted) == 2
    commit(store, Write(Verb.DELETE, "namespaces", "a", named("a", "")))
    assert store.wire.call("HLEN", store.keys.admitted) == 0


def test_where_rules_hold() -> None:
    assert rules_of(create("serviceaccounts", named("s"))) == "a"
    assert rules_of(create("storageclasses.storage.k8s.io", named("s", ""))) == CLUSTER
    assert rules_of(create("namespaces", named("n", ""))) == ""
    assert rules_of(Write(Verb.UPDATE, "namespaces", "n", named("n", ""))) == "n"
    assert rules_of(create("pods", named("p"))) == ""
