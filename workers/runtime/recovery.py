"""What a runtime has besides by which an agent finds out what was lost, and clears away what is left or not needed."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from workers.runtime.protocol import PodRef


@runtime_checkable
class LosesNetwork(Protocol):
    """What a runtime has besides whose network others may take away."""

    def has_network(self, pod_cidr: str) -> bool:
        """Whether what `prepare` made is still there. Raises ContainerError if the runtime can't be reached."""
        ...


@runtime_checkable
class KeepsFiles(Protocol):
    """What a runtime has besides whose pods' files lie apart from them."""

    def sweep(self, uids: Collection[str]) -> None:
        """Remove the files of all but these pods: an agent may have died between the end of a pod and that of its files.
        No pod may be about to start."""
        ...


@runtime_checkable
class FreesSandboxes(Protocol):
    """What a runtime has besides whose sandboxes take something that pods which have ended need no longer."""

    def free_sandbox(self, pod: PodRef) -> None:
        """Remove the pod's sandbox, and with it its address; its ended containers and their logs stay. Already gone is no
        error. Raises ContainerError."""
        ...
