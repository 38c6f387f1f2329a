"""Twenty thousand requests that nobody would send, or nearly the right ones: the server breaks at none, and one that is
refused changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ValkeyServer
from tests.fuzz.rounds import SHARES, run
from tests.fuzz.world import World, world_at


@pytest.fixture(scope="module")
def world(valkey: ValkeyServer) -> Iterator[World]:
    with world_at(valkey.url) as made:
        yield made


def test_the_requests_of_a_run_are_twenty_thousand() -> None:
    assert sum(SHARES.values()) >= 20_000


@pytest.mark.parametrize("sort", sorted(SHARES))
def test_the_server_breaks_at_nothing_and_a_refused_request_changes_nothing(
    world: World, sort: str, record_property: pytest.RecordProperty
) -> None:
    made = run(world, sort, SHARES[sort])

    record_property("requests", made)
    assert made >= SHARES[sort]
