from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.base.errors import BadRequest, Expired, Invalid, Timeout
from app.base.ids import RandomIds
from app.objects import field_selectors, selector_text
from app.registry.registry import Registry
from app.store.view import View


def fill(world: Any, make: Any, count: int = 5) -> None:
    for number in range(count):
        raw = make.config_map(f"c{number}", v="1")
        raw["metadata"]["labels"] = {"odd": str(number % 2)}
        world.create("configmaps", raw)


def test_a_list_shows_what_was_acknowledged_just_before(world: Any, make: Any) -> None:
    fill(world, make)
    listing = world.list("configmaps", "default")
    assert [r.key for r in listing.records] == [f"default/c{n}" for n in range(5)]
    body = orjson.loads(listing.json())
    assert body["kind"] == "ConfigMapList"
    assert body["apiVersion"] == "v1"
    assert body["metadata"] == {"resourceVersion": str(world.store.revision())}
    assert body["items"] == [world.must("configmaps", f"default/c{n}") for n in range(5)]


def test_an_empty_list_is_a_list(world: Any) -> None:
    assert orjson.loads(world.list("pods").json())["items"] == []


def test_labels_and_fields_select(world: Any, make: Any) -> None:
    fill(world, make)
    assert world.names("configmaps", labels=selector_text.parse("odd=1")) == ["c1", "c3"]
    fields = field_selectors.parse("metadata.name=c3", "configmaps")
    assert world.names("configmaps", fields=fields) == ["c3"]
    assert world.names("configmaps", "default", fields=fields, labels=selector_text.parse("odd=0")) == []
    world.create("pods", make.pod("a", nodeName="n1"))
    world.create("pods", make.pod("b"))
    assert world.names("pods", fields=field_selectors.parse("spec.nodeName=n1", "pods")) == ["a"]
    assert world.names(
        "pods", fields=field_selectors.parse("status.phase=Pending,spec.nodeName!=n1", "pods")
    ) == ["b"]


def test_pieces_show_the_state_as_of_the_first_one(world: Any, make: Any) -> None:
    fill(world, make)
    first = world.list("configmaps", "default", limit=2)
    assert [r.key for r in first.records] == ["default/c0", "default/c1"]
    assert first.remaining == 3
    world.delete("configmaps", "c2")
    world.patch("configmaps", "c3", {"data": {"v": "2"}})
    world.create("configmaps", make.config_map("c35"))
    world.delete("configmaps", "c4")
    world.create("configmaps", make.config_map("c4", v="new"))
    second = world.list("configmaps", "default", limit=2, token=first.token)
    third = world.list("configmaps", "default", limit=2, token=second.token)
    assert [r.key for r in (*second.records, *third.records)] == ["default/c2", "default/c3", "default/c4"]
    assert [o["data"]["v"] for o in (*second.objects(), *third.objects())] == ["1", "1", "1"]
    assert second.revision == third.revision == first.revision
    assert (third.token, third.remaining) == ("", None)


def test_pieces_of_a_selection_do_not_say_how_many_remain(world: Any, make: Any) -> None:
    fill(world, make)
    piece = world.list("configmaps", labels=selector_text.parse("odd=0"), limit=1)
    assert piece.metadata().keys() == {"resourceVersion", "continue"}
    rest = world.list("configmaps", labels=selector_text.parse("odd=0"), limit=9, token=piece.token)
    assert [r.key for r in rest.records] == ["default/c2", "default/c4"]


def test_another_api_process_continues_a_list(world: Any, make: Any) -> None:
    fill(world, make)
    first = world.list("configmaps", "default", limit=2)
    world.delete("configmaps", "c2")
    world.registry = world.another(2)
    rest = world.list("configmaps", "default", limit=9, token=first.token)
    assert [r.key for r in rest.records] == ["default/c2", "default/c3", "default/c4"]


def test_a_list_can_not_be_continued_when_its_time_is_forgotten(world: Any, make: Any) -> None:
    fill(world, make)
    first = world.list("configmaps", "default", limit=2)
    view = View(world.store, history=3, keep=False)
    world.registry = Registry(world.store, view, world.clock, RandomIds(3), world.settings)
    for number in range(5):
        world.patch("configmaps", "c0", {"data": {"v": str(number + 2)}})
    with pytest.raises(Expired, match="The provided continue parameter is too old"):
        world.list("configmaps", "default", limit=2, token=first.token)
    with pytest.raises(Expired, match="too old"):
        world.list("configmaps", version=str(first.revision), match="Exact")


def test_an_exact_revision_of_the_past_is_shown_as_it_was(world: Any, make: Any) -> None:
    fill(world, make, 2)
    then = world.store.revision()
    world.delete("configmaps", "c0")
    listing = world.list("configmaps", "default", version=str(then), match="Exact")
    assert [r.key for r in listing.records] == ["default/c0", "default/c1"]
    assert listing.revision == then
    assert world.names("configmaps", "default", version=str(then), match="NotOlderThan") == ["c1"]
    assert world.names("configmaps", "default", version="0") == ["c1"]


def test_a_revision_of_the_future_is_not_waited_for(world: Any) -> None:
    now = world.store.revision()
    with pytest.raises(Timeout, match=f"^Too large resource version: {now + 5}, current: {now}$") as refused:
        world.list("configmaps", version=str(now + 5))
    assert refused.value.retry_after == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"match": "Exact"}, Invalid), ({"match": "Exact", "version": "0"}, Invalid), ({"version": "x"}, Invalid),
        ({"version": "-1"}, Invalid), ({"token": "x"}, BadRequest), ({"token": "bnVsbA"}, BadRequest),
        ({"token": "e30"}, BadRequest), ({"token": "\u00e9"}, BadRequest), ({"version": "٣"}, Invalid),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(
    world: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        world.list("configmaps", **options)


def test_a_token_goes_with_no_other_version(world: Any, make: Any) -> None:
    fill(world, make)
    token = world.list("configmaps", limit=1).token
    with pytest.raises(BadRequest, match="specifying resource version is not allowed when using continue"):
        world.list("configmaps", token=token, version="5")
    with pytest.raises(Invalid, match="resourceVersionMatch is forbidden when continue is provided"):
        world.list("configmaps", token=token, match="Exact")
