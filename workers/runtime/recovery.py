"""What a runtime has besides by which an agent finds out what was lost, and clears away what was left."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable


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
