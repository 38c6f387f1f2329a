"""Rounds: some requests, one after the other, on a world that is put back afterwards."""

from __future__ import annotations

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.invariants import Judge
from tests.fuzz.requests import KINDS_OF_REQUESTS
from tests.fuzz.watches import Watches
from tests.fuzz.world import Sent, World

# Requests of each sort in an ordinary run.
SHARES = {"writes": 8000, "patches": 6500, "reads": 3500, "strange": 2000}
# Requests in a round: later ones meet what earlier ones left.
LENGTH = 10


def run(world: World, sort: str, requests: int, chosen: int | None = None) -> int:
    """Make at least so many requests of one sort; how many it were, with those that read back what was accepted.

    Args:
        chosen: a seed; by default hypothesis chooses.

    Raises:
        AssertionError: something does not hold; hypothesis has printed the shortest round that shows it.
    """
    before = world.asked
    watches = Watches()
    judge = Judge(world, watches)

    @settings(
        max_examples=max(1, requests // LENGTH),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(KINDS_OF_REQUESTS[sort], min_size=LENGTH, max_size=LENGTH))
    def a_round(sent: list[Sent]) -> None:
        judge.restore()
        for each in sent:
            judge(each)

    (seed(chosen)(a_round) if chosen is not None else a_round)()
    judge.restore()
    world.check_nothing_else_changed()
    watches.finish()
    return world.asked - before
