"""How a process that holds a whole cluster in memory treats it."""

from __future__ import annotations

import gc

# New containers before the young ones are looked at, and how often that comes before an older generation's turn.
# Python's own 700, 10, 10 are for programs with few objects.
THRESHOLDS = (50_000, 20, 20)


def expect_many_objects() -> None:
    """Look for cycles among objects less often. Views hold hundreds of thousands of dicts that are in no cycle; going
    through them again and again took a quarter of the time of a control worker that brought up 3000 pods."""
    gc.set_threshold(*THRESHOLDS)
