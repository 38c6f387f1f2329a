"""Server-side apply: the laws it keeps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given

from app.objects.change import Object
from app.objects.managed import declared
from app.objects.managed.apply import Applied
from app.objects.managed.compare import compare
from app.objects.managed.conflicts import Conflicts
from app.objects.managed.entries import ANCIENT, MOST_UPDATERS, Entries, Manager, decode, is_reset
from app.objects.managed.fields import set_of
from app.objects.managed.merge import merge
from app.objects.managed.sets import leaves, paths
from app.objects.managed.states import States, ownable
from app.objects.managed.update import updated
from tests.objects.ownership import (
    NOW,
    THING,
    VERSION,
    applied,
    configurations,
    of,
    thing,
    tidy,
    unordered,
)


def or_refused(who: str, config: Object, to: Applied) -> Applied:
    """What an apply makes; what was there, if it is refused."""
    try:
        return applied(who, config, to)
    except Conflicts:
        return to


@given(configurations(), configurations())
def test_apply_twice_is_apply_once(first: Object, config: Object) -> None:
    once = applied("me", config, applied("other", first), force=True)
    twice = applied("me", config, once)
    assert twice.same
    assert (twice.obj, twice.entries) == (once.obj, once.entries)


# Two who both call a field empty have that field in common.
_of_a_and_b = configurations(("a", "b"), scalars=False).map(tidy)
_of_x_and_y = configurations(("x", "y"), scalars=False).map(tidy)


@given(configurations().map(tidy), _of_a_and_b, _of_x_and_y)
def test_managers_of_different_fields_commute(base: Object, one: Object, other: Object) -> None:
    start = applied("base", base)
    try:
        there = applied("you", other, applied("me", one, start))
    except Conflicts:
        assume(False)
    back = applied("me", one, applied("you", other, start))
    assert unordered(there.obj) == unordered(back.obj)
    assert there.entries == back.entries


@given(configurations(), configurations())
def test_what_one_owns_another_can_not_silently_change(mine: Object, yours: Object) -> None:
    start = applied("me", mine)
    result = or_refused("you", yours, start)
    # All that I said still holds, and is still mine.
    assert not set(paths(compare(tidy(mine), result.obj, THING).removed))
    assert of(result.entries, "me") == of(start.entries, "me")
    changed = compare(start.obj, result.obj, THING)
    assert not of(start.entries, "me") & set(paths(leaves(changed.changed)))


@given(configurations(), configurations())
def test_by_force_what_you_say_holds_and_is_mine_no_more(mine: Object, yours: Object) -> None:
    start = applied("me", mine)
    result = applied("you", yours, start, force=True)
    assert not any(compare(result.obj, tidy(merge(result.obj, yours, THING)), THING))
    taken = set(paths(compare(start.obj, result.obj, THING).changed))
    assert not of(result.entries, "me") & taken
    assert of(result.entries, "you") == set(paths(set_of(ownable(yours), THING)))


@given(configurations(), configurations())
def test_no_longer_applying_removes_exactly_what_only_i_owned(yours: Object, mine: Object) -> None:
    start = applied("you", yours)
    try:
        both = applied("me", mine, start)
    except Conflicts:
        assume(False)
    after = applied("me", thing(), both)
    assert unordered(after.obj) == unordered(start.obj)
    assert of(after.entries, "you") == of(both.entries, "you")
    assert not of(after.entries, "me")


@given(configurations(), configurations(), configurations())
def test_entries_of_any_history_come_back_as_they_were(one: Object, two: Object, three: Object) -> None:
    state = applied("c", three, applied("b", two, applied("a", one), force=True), force=True)
    assert decode(state.entries) == state.entries


def test_conflicts_are_told_in_kubernetes_words() -> None:
    before = thing({"replicas": 1, "env": [{"name": "x", "value": "1"}]})
    start = Applied(before, updated_by("kubectl-client-side-apply", before), False)
    with pytest.raises(Conflicts) as found:
        applied("me", thing({"replicas": 2}), start)
    assert str(found.value) == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using example.com/v1: .spec.replicas'
    )
    start = applied("you", thing({"selector": {"a": "b"}}), start)
    with pytest.raises(Conflicts) as found:
        applied("me", thing({"replicas": 2, "selector": {}, "env": [{"name": "x", "value": "2"}]}), start)
    assert str(found.value) == (
        'Apply failed with 3 conflicts: conflicts with "kubectl-client-side-apply" using example.com/v1:\n'
        '- .spec.replicas\n- .spec.env[name="x"].value\nconflicts with "you":\n- .spec.selector'
    )


def updated_by(
    who: str, new: Object, old: Object | None = None, entries: Entries | None = None, at: str = NOW
) -> Any:
    states = States(old, new, VERSION, lambda obj, _version: (obj, THING))
    return updated(entries or [], states, Manager(who, "Update", VERSION), at)


def test_an_update_takes_what_it_changes_and_leaves_the_rest() -> None:
    old = thing({"replicas": 1, "strategy": {"type": "a"}}, {"app": "web"})
    entries = updated_by("a", old)
    new = thing({"replicas": 2, "strategy": {"type": "a"}}, {"tier": "x"})
    after = updated_by("b", new, old, entries, "2027-01-15T09:00:00Z")
    assert of(after, "b") == {("f:spec", "f:replicas"), ("f:metadata", "f:labels", "f:tier")}
    assert ("f:spec", "f:strategy", "f:type") in of(after, "a")
    assert not {("f:spec", "f:replicas"), ("f:metadata", "f:labels", "f:app")} & of(after, "a")
    assert [entry["time"] for entry in after] == [NOW, "2027-01-15T09:00:00Z"]


def test_an_update_that_changes_nothing_leaves_the_very_entries() -> None:
    old = thing({"replicas": 1})
    entries = updated_by("a", old)
    assert updated_by("a", thing({"replicas": 1}), old, entries, "2027-01-15T09:00:00Z") is entries


def test_who_never_applied_is_known_as_before_first_apply() -> None:
    made = applied("me", thing({"replicas": 2}), Applied(thing({"replicas": 2}, {"a": "b"}), [], False))
    assert of(made.entries, "before-first-apply") >= {
        ("f:spec", "f:replicas"),
        ("f:metadata", "f:labels", "f:a"),
    }
    assert of(made.entries, "me") == {("f:spec", "f:replicas")}


def test_too_many_updaters_become_ancient_changes() -> None:
    obj = thing({}, {})
    entries: Entries = []
    for i in range(MOST_UPDATERS + 3):
        new = thing({}, {f"l{n}": "x" for n in range(i + 1)})
        entries = updated_by(f"m{i:02}", new, obj, entries, f"2027-01-15T08:00:{i:02}Z")
        obj = new
    updaters = [entry["manager"] for entry in entries]
    assert len(updaters) == MOST_UPDATERS
    assert updaters[0] == ANCIENT
    assert of(entries, ANCIENT) >= {("f:metadata", "f:labels", f"f:l{n}") for n in range(4)}
    assert updaters[1:] == [f"m{i:02}" for i in range(4, MOST_UPDATERS + 3)]


def test_defaults_inside_a_struct_go_with_it() -> None:
    start = applied("me", thing({"replicas": 1, "strategy": {"type": "a"}}))
    defaulted = {
        **start.obj,
        "spec": {**start.obj["spec"], "strategy": {"type": "a", "rolling": {"surge": 1}}},
    }
    after = applied("me", thing({"replicas": 1}), Applied(defaulted, start.entries, False))
    assert after.obj["spec"] == {"replicas": 1}


def test_an_item_stays_while_somebody_owns_it() -> None:
    item = {"name": "x", "value": "1"}
    start = applied("you", thing({"env": [{"name": "x"}]}))
    both = applied("me", thing({"env": [item, {"name": "y"}]}), start)
    after = applied("me", thing({"replicas": 1}), both)
    assert after.obj["spec"] == {"replicas": 1, "env": [{"name": "x"}]}


def test_items_of_the_configuration_come_in_its_order_and_others_keep_their_place() -> None:
    start = applied("you", thing({"env": [{"name": name} for name in "abcd"]}))
    after = applied("me", thing({"env": [{"name": name} for name in ("c", "new", "a")]}), start)
    assert [item["name"] for item in after.obj["spec"]["env"]] == ["b", "c", "d", "new", "a"]


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (thing({"foo": 1}), ".spec.foo: field not declared in schema"),
        (thing({"env": [{"name": "x", "foo": 1}]}), '.spec.env[name="x"].foo: field not declared in schema'),
        (thing({"env": [{"name": "x"}, {"name": "x"}]}), '.spec.env: duplicate entries for key [name="x"]'),
        (thing(finalizers=["x", "x"]), '.metadata.finalizers: duplicate entries for key [="x"]'),
        (
            thing({"ports": [{"protocol": "TCP"}]}),
            '.spec.ports: element 0: associative list with keys has an element that omits key field "port" '
            "(and doesn't have default value)",
        ),
    ],
)
def test_what_can_not_be_merged_is_named(config: Object, wrong: str) -> None:
    assert declared.faults(config, THING) == [wrong]


@given(configurations())
def test_what_is_as_it_should_be_has_no_faults(config: Object) -> None:
    assert declared.faults(config, THING) == []


@pytest.mark.parametrize(
    ("sent", "reset"), [([], True), ([{}], True), (None, False), ([{"manager": "a"}], False)]
)
def test_empty_managers_ask_to_forget_them(sent: Any, reset: bool) -> None:
    assert is_reset(sent) is reset
