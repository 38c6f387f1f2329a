"""What a test process has open."""

from __future__ import annotations

import contextlib
import os
from collections import Counter


def held() -> Counter[str]:
    """What each descriptor leads to, and how many do. `held() - before` is what was opened since, whatever others of this
    process close meanwhile."""
    found: Counter[str] = Counter()
    for number in os.listdir("/proc/self/fd"):
        # The one that they are listed by is gone.
        with contextlib.suppress(FileNotFoundError):
            found[os.readlink(f"/proc/self/fd/{number}")] += 1
    return found
