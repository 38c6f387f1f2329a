"""What an agent remembers of a pod between two looks at it, beyond what the runtime and the API know.

Losing it (the agent restarts) costs a back-off's length or a repeated event, never a container.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class ContainerMemory:
    """One container of a pod, across its attempts.

    Attributes:
        backoff: seconds to wait after the next exit; 0 while it was never restarted. backoff_since:
            when that was last extended.
        failures: starts in a row that failed before anything ran. retry_at: when to try again.
        waiting: reason and message of what keeps it from starting, as its status shows.
    """

    backoff: float = 0.0
    backoff_since: float = 0.0
    failures: int = 0
    retry_at: float = 0.0
    waiting: tuple[str, str] | None = None


@dataclass(slots=True)
class PodMemory:
    """One pod.

    Attributes:
        started_at: when this agent first saw the pod (`status.startTime` if it has none yet).
        deleting_since: when it first saw the pod marked for deletion.
        failed: reason and message of a failure of the pod as a whole; its containers are stopped.
        sandbox_failures, sandbox_retry_at: as for containers. trouble: why there is no sandbox.
        stopping: ids of containers that are being stopped right now, and when they get SIGKILL.
        hooked: ids of containers whose postStart hook is still running; they are not ready.
        noted: events that are told once, such as a back-off of one attempt.
        hosts: the pod's address and the hash of its hosts file, as this agent last saw to it; None before.
    """

    started_at: float = 0.0
    deleting_since: float | None = None
    failed: tuple[str, str] | None = None
    sandbox_failures: int = 0
    sandbox_retry_at: float = 0.0
    trouble: tuple[str, str] | None = None
    containers: dict[str, ContainerMemory] = field(default_factory=dict)
    stopping: dict[str, float] = field(default_factory=dict)
    hooked: set[str] = field(default_factory=set)
    noted: set[tuple[str, ...]] = field(default_factory=set)
    hosts: tuple[str, int] | None = None

    def of(self, container: str) -> ContainerMemory:
        """The memory of one container, empty at first."""
        return self.containers.setdefault(container, ContainerMemory())
