"""Routing is pure: a change, a view and roles in, work out."""

from __future__ import annotations

from typing import cast

from app.bus.publishing import KEYS_PER_MESSAGE, messages
from app.bus.routing import Router, route
from app.bus.work import Work
from app.objects.change import NOBODY, Change, Interest, Operation, ReadView, Trace
from workers.reconcile.plan import NOTHING, Role

NO_VIEW = cast(ReadView, None)


def change(resource: str, key: str, revision: int) -> Change:
    new = {"metadata": {"name": key}}
    return Change(revision, Operation.ADDED, resource, key, None, new, "test", Trace("t", revision - 1))


def test_work_carries_the_trace_on_with_the_change_as_its_cause(roles):
    assert route(change("configmaps", "default/x", 5), NO_VIEW, roles) == [
        Work("maps", "default/x", Trace("t", 5)),
        Work("spaces", "default", Trace("t", 5)),
    ]


def test_a_change_that_concerns_nobody_makes_no_work(roles):
    assert route(change("configmaps", "default/x", 5), NO_VIEW, ()) == []


def test_doubles_are_merged(roles):
    changes = [change("pods", "default/a", 1), change("pods", "default/b", 2), change("pods", "other/a", 3)]
    found = Router(roles).route_all(changes, NO_VIEW)
    assert found == [Work("spaces", "default", Trace("t", 2)), Work("spaces", "other", Trace("t", 3))]


def test_a_message_holds_one_roles_keys_and_not_too_many():
    work = [("a", f"k{n}") for n in range(KEYS_PER_MESSAGE + 1)] + [("b", "k0")]
    sent = list(messages(work))
    assert [(role, len(keys)) for role, keys in sent] == [("a", KEYS_PER_MESSAGE), ("a", 1), ("b", 1)]
    assert [(role, key) for role, keys in sent for key in keys] == work


def held_by(kind: str) -> dict[str, object]:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": "web", "uid": "u", "controller": True}
    return {"metadata": {"name": "x", "ownerReferences": [reference] if kind else []}}


def test_who_looks_at_what_a_kind_holds_hears_of_what_it_holds_or_held_and_of_nothing_else():
    def role(name: str, holder: str) -> Role:
        interest = Interest("pods", lambda change, view: [change.key], holder)
        return Role(name, lambda view, key, now: NOTHING, (interest,), lambda view: [])

    router = Router([role("sets", "ReplicaSet"), role("jobs", "Job"), role("takers", NOBODY)])

    def asked(before: str | None, after: str) -> list[str]:
        old = None if before is None else held_by(before)
        what = Operation.ADDED if old is None else Operation.MODIFIED
        made = Change(1, what, "pods", "default/x", old, held_by(after), "test", Trace("t", 0))
        return sorted(work.role for work in router.route(made, NO_VIEW))

    assert asked(None, "ReplicaSet") == ["sets"]
    assert asked(None, "") == ["takers"]
    assert asked("Job", "") == ["jobs", "takers"]
    assert asked("", "ReplicaSet") == ["sets", "takers"]
    assert asked("DaemonSet", "DaemonSet") == []
