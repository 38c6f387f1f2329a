"""Whether an engine may protect containers from the kernel's choice of victims when memory runs out.

To lower `oom_score_adj` takes a right that not every engine has. There is no asking: one that lacks it fails to start the
container, whatever it says of it, as it may for reasons that pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from workers.runtime.protocol import ContainerError, ContainerSpec, ContainerState

log = logging.getLogger("beanpole.docker")

# An engine that so often failed to start with protection what it then started without has no right to it, unless it was
# seen to protect.
CONVINCED = 3


class Protection:
    """What is known of one engine."""

    def __init__(self) -> None:
        self._seen = False
        self._refusals = 0

    def start(self, start: Callable[[ContainerSpec], ContainerState], spec: ContainerSpec) -> ContainerState:
        """Start a container by `start`, without protection where that can't be had. Raises ContainerError as `start`."""
        if spec.resources.oom_score_adj >= 0:
            return start(spec)
        if self._seen or self._refusals < CONVINCED:
            try:
                state = start(spec)
                self._seen = True
                return state
            except ContainerError as exc:
                if self._seen or exc.reason != "RunContainerError":
                    raise
        state = start(replace(spec, resources=replace(spec.resources, oom_score_adj=0)))
        self._refusals += 1
        if self._refusals == CONVINCED:
            log.warning("the engine can't keep containers from being the first to go when memory runs out")
        return state
