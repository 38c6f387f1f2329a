"""What this machine uses as a whole, read from /proc (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

# Of the columns of /proc/stat: user, nice, system, irq, softirq, steal. Guests' time is in user's already, and
# idle and iowait are no work.
_BUSY = (0, 1, 2, 5, 6, 7)
TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def cpu(text: str | None = None) -> int:
    """Nanoseconds that all cpus worked since boot; `text` in place of /proc/stat."""
    text = Path("/proc/stat").read_text() if text is None else text
    columns = [int(each) for each in text.split("\n", 1)[0].split()[1:]]
    return sum(columns[i] for i in _BUSY if i < len(columns)) * TICK


def memory(text: str | None = None) -> int:
    """Bytes of the working set, as Kubernetes has it: all that is in use but for files that nobody read lately.
    `text` in place of /proc/meminfo."""
    text = Path("/proc/meminfo").read_text() if text is None else text
    found = {}
    for line in text.splitlines():
        name, _, amount = line.partition(":")
        if name in ("MemTotal", "MemFree", "Inactive(file)"):
            found[name] = int(amount.split()[0]) * 1024
    return max(0, found["MemTotal"] - found["MemFree"] - found.get("Inactive(file)", 0))
