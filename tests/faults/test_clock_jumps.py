"""Somebody sets the machine's clock by hours: pods don't notice, and what waits doesn't wait for hours."""

from __future__ import annotations

import pytest

from tests.e2e.waiting import until
from tests.faults.node import FaultyNode, pod

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(60)]

HOURS = 3600.0 * 3
OFTEN = {"periodSeconds": 1, "failureThreshold": 1}


def test_a_clock_that_jumps_restarts_nothing_and_holds_nothing_up(node: FaultyNode) -> None:
    marked = {"exec": {"command": ["test", "!", "-e", "/tmp/unwell"]}, **OFTEN}
    well = node.started(pod(livenessProbe=marked, readinessProbe=marked))
    crashing = node.run(pod("sleep 0.2; exit 1"))
    for by, wait in ((HOURS, 11), (-HOURS, 21)):
        until(
            lambda: node.waiting(crashing).get("reason") == "CrashLoopBackOff",
            20,
            lambda: node.tell(crashing),
        )
        count = node.entry(crashing)["restartCount"]
        node.clock.by += by
        # Probes go on.
        tries = node.prober.succeeded["exec"]
        until(lambda tries=tries: node.prober.succeeded["exec"] > tries + 2, 20, node.tell)
        assert node.is_ready(well)
        assert node.entry(well)["restartCount"] == 0
        # It still waits, and no longer than it would have anyway.
        assert node.entry(crashing)["restartCount"] == count
        node.pass_time(crashing, wait)
        until(lambda n=count: node.entry(crashing)["restartCount"] > n, 20, lambda: node.tell(crashing))
    # A container that was fine is still found out once it is not.
    node.exec(well, "touch", "/tmp/unwell")
    until(lambda: node.is_ready(well, restarts=1), 20, lambda: node.tell(well))
