"""What an agent remembers of a pod between two looks at it, beyond what the runtime and the API know.

Losing it (the agent restarts) costs a back-off's length or a repeated event, never a container.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from workers.agent.resizing.memory import ResizeMemory
from workers.runtime.protocol import PodState, State

# How long a runtime may show a container running that it has stopped, before that is not believed any more. Seconds.
SETTLES = 1.0


@dataclass(slots=True)
class ContainerMemory:
    """One container of a pod, across its attempts.

    Attributes:
        backoff: seconds to wait after the next exit; 0 while it was never restarted. backoff_since:
            when that was last extended.
        failures: starts in a row that failed before anything ran. retry_at: when to try again.
        waiting: reason and message of what keeps it from starting, as its status shows.
        pulling: it waits for an image, its own or that of a container before it; the end of the pull wakes the pod.
        told: the attempt whose back-off users were told of.
    """

    backoff: float = 0.0
    backoff_since: float = 0.0
    failures: int = 0
    retry_at: float = 0.0
    waiting: tuple[str, str] | None = None
    pulling: bool = False
    told: int | None = None


@dataclass(slots=True)
class Ending:
    """The end of a running container, from its preStop hook on.

    Attributes:
        since: when it began. period: the whole grace period, in seconds.
        hook: its preStop hook is `running` or `done`; empty before, and where there is none.
        signalled: it was told to stop, and will be killed when the period is over.
        dead_at: when the runtime said that it is stopped, None before; whoever looked before that, or while the runtime
            has not noted it yet, still sees it run.
    """

    since: float
    period: float
    hook: str = ""
    signalled: bool = False
    dead_at: float | None = None


@dataclass(slots=True)
class PodMemory:
    """One pod.

    Attributes:
        started_at: when this agent first saw the pod (`status.startTime` if it has none yet).
        deleting_since: when it first saw the pod marked for deletion.
        failed: reason and message of a failure of the pod as a whole; its containers are stopped, within `end_grace`
            seconds (None: at the agent's own discretion). disrupted: the node did that for reasons of its own.
            rejected: the pod was never begun.
        sandbox_failures, sandbox_retry_at: as for containers. trouble: why there is no sandbox.
        endings: the containers that are ending right now, by id. ending: since when the pod as a whole is, and within
            how many seconds. removal_retry_at: when what is left of it is tried to be removed again.
        post_start: by a container's id, whether its postStart hook is `running`, `done` or `failed`.
        last_words: by a container's id, its termination message.
        hosts: the pod's address and the mark of its hosts file, as this agent last saw to it; None before.
        resize: see `ResizeMemory`.
        clock_offset: see `clock_jumps`; None before the first look.
    """

    started_at: float = 0.0
    deleting_since: float | None = None
    failed: tuple[str, str] | None = None
    end_grace: float | None = None
    disrupted: bool = False
    rejected: bool = False
    sandbox_failures: int = 0
    sandbox_retry_at: float = 0.0
    trouble: tuple[str, str] | None = None
    containers: dict[str, ContainerMemory] = field(default_factory=dict)
    endings: dict[str, Ending] = field(default_factory=dict)
    ending: tuple[float, float] | None = None
    removal_retry_at: float = 0.0
    post_start: dict[str, str] = field(default_factory=dict)
    last_words: dict[str, str] = field(default_factory=dict)
    hosts: tuple[str, int] | None = None
    resize: ResizeMemory = field(default_factory=ResizeMemory)
    clock_offset: float | None = None

    def of(self, container: str) -> ContainerMemory:
        """The memory of one container, empty at first."""
        return self.containers.setdefault(container, ContainerMemory())

    def follow(self, state: PodState | None) -> None:
        """Forget what was about containers that are gone, or do not run any more."""
        if state is None or not (self.endings or self.post_start or self.last_words):
            return
        known = {c.id for c in state.containers}
        running = {c.id for c in state.containers if c.state is State.RUNNING}
        # In place: hooks that are under way write to the same.
        for held, wanted in ((self.endings, running), (self.post_start, running), (self.last_words, known)):
            for gone in set(held) - wanted:
                held.pop(gone, None)  # type: ignore[attr-defined]

    def doubt_ends(self, seen_at: float) -> None:
        """Have what was stopped and was seen running all the same be stopped again: not at once, nor from the beginning.
        After `follow`, with what was seen then."""
        for ending in self.endings.values():
            if ending.dead_at is not None and seen_at >= ending.dead_at + SETTLES:
                ending.signalled, ending.dead_at = False, None

    @property
    def awaits_ends(self) -> bool:
        """Whether the runtime has stopped something that it does not show to be dead yet."""
        return any(ending.dead_at is not None for ending in self.endings.values())
