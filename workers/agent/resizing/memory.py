"""What an agent remembers of a pod's being resized."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.objects.change import Object

if TYPE_CHECKING:
    from workers.agent.resizing.allocation import Allocation, Pending


@dataclass(slots=True)
class ResizeMemory:
    """See the module.

    Attributes:
        given: what of the node the pod has; None before it was first looked at. settled: the spec for which that is
            what it asks for.
        pending: why it is not given what it asks for. generation: of the pod, when that was last decided.
        under_way: some container may not have what the pod was given yet. error: why not; tried again at `retry_at`.
        anew: ids of containers that were stopped to be started again with other limits.
    """

    given: Allocation | None = None
    settled: Object | None = None
    pending: Pending | None = None
    generation: int | None = None
    under_way: bool = False
    error: str = ""
    retry_at: float = 0.0
    anew: set[str] = field(default_factory=set)
