"""What a container's private view of the file system gives on this machine."""

from __future__ import annotations

import platform
import re

from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts

# Since this version Linux changes a mount together with all that is mounted below (mount_setattr).
RECURSIVE = (5, 12)


def features(mode: str) -> frozenset[Feature]:
    """Args: mode: how a private view is had here (see `launch.detect_mode`); empty: not at all."""
    if not mode:
        return frozenset()
    found = {Feature.MOUNTS}
    if not HostMounts(engine=False).lacking():
        found.add(Feature.MEMORY_VOLUMES)
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if version and tuple(int(part) for part in version.groups()) >= RECURSIVE:
        found.add(Feature.RECURSIVE_READ_ONLY)
    return frozenset(found)
