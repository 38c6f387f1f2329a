"""The simulation under some hundred seeds; `make simulate` runs many more."""

from __future__ import annotations

import pytest

from tests.simulation.world import simulate

SEEDS = 200
PER_TEST = 10


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, PER_TEST))
def test_whatever_goes_wrong_the_cluster_becomes_what_was_declared(redis_url: str, first: int) -> None:
    for seed in range(first, first + PER_TEST):
        simulate(redis_url, seed)
