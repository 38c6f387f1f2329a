"""How much memory a control group holds that could not be dropped at once: its working set, as Kubernetes has it.

Both versions of cgroups (https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/memory.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def working_set(held: int, stat: Mapping[str, int]) -> int:
    """Bytes of the working set: all that is held but for files that nobody read lately. `stat`: `memory.stat`."""
    # In version 1 the plain name leaves out what is in groups below.
    return max(0, held - stat.get("total_inactive_file", stat.get("inactive_file", 0)))


def of_group(folder: Path) -> int:
    """Bytes of the working set of the group that this folder stands for.

    Raises:
        OSError, ValueError: it is gone, or counts no memory.
    """
    first = folder / "memory.usage_in_bytes"
    held = int((first if first.exists() else folder / "memory.current").read_text())
    return working_set(held, table(folder / "memory.stat"))


def table(path: Path) -> dict[str, int]:
    """A file of a name and a number in each line. Raises OSError, ValueError."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
