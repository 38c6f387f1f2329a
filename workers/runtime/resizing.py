"""What a runtime has besides that can hold a running container to other limits."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from workers.runtime.protocol import PodRef
from workers.runtime.resources import Limits


@runtime_checkable
class Resizes(Protocol):
    """Runtimes whose `features` have `Feature.RESIZE`."""

    def resize_container(self, pod: PodRef, container_id: str, limits: Limits) -> None:
        """Hold it to `limits` from now on, without a restart. Raises ContainerError: it can't be had, or the container
        does not run."""
        ...

    def memory_in_use(self, pod: PodRef, container_id: str) -> int:
        """Bytes that it holds now and that could not be dropped at once; 0 if that can't be told."""
        ...
