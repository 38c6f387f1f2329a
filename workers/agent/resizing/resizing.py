"""Resizing a node's pods: granting what they ask for, holding their containers to it, telling users."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from app.objects import quantity
from app.objects.change import Object
from app.objects.pods import is_terminal
from workers.agent.admitting.admission import Room
from workers.agent.deciding.step import Decision, PreStop, ResizeContainer, Stop, soonest
from workers.agent.pod import ref
from workers.agent.record import Record
from workers.agent.resizing import allocation
from workers.agent.resizing import decide as decide_resize
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, PodState, State
from workers.runtime.resizing import Resizes

log = logging.getLogger("beanpole.agent")

# How soon a resize is tried again that could not be carried out. Seconds.
RETRY = 10.0
# How long a runtime may take to show what was done. Seconds.
SHOWS = 1.0
# The exit code of a process that SIGTERM ended.
TERMINATED = 143


class Resizer:
    """See the module.

    Args:
        records: the node's pods. wake: asks for a step of one of them. room: the node as it is now; None while nobody
            knows.
    """

    def __init__(
        self,
        around: Surroundings,
        records: Callable[[], Iterable[Record]],
        wake: Callable[[str, float], None],
        room: Callable[[], Room | None],
    ) -> None:
        self._around, self._records, self._wake, self._room = around, records, wake, room
        # Two pods must not be given the same room.
        self._lock = threading.Lock()

    def look(self, record: Record) -> None:
        """Grant what the pod asks for if it is news, or put it off. Costs next to nothing if it is not."""
        resize = record.memory.resize
        if resize.settled is record.ordered["spec"]:
            return
        with self._lock:
            if resize.given is None:
                resize.given = allocation.known(record.ordered)
                resize.under_way = _was_under_way(record.ordered)
            if allocation.differs(record.ordered, resize.given):
                self._grant(record)
            else:
                resize.given = allocation.asked_for(record.ordered)
                resize.pending = None
            if resize.pending is None:
                resize.settled = record.ordered["spec"]

    def _grant(self, record: Record) -> None:
        resize, pod, room = record.memory.resize, record.ordered, self._room()
        generation = pod["metadata"].get("generation")
        if room is None:
            return
        has = room.allocatable
        cpu, memory = quantity.millis(has.get("cpu", 0)), quantity.value(has.get("memory", 0))
        pending = allocation.verdict(pod, self._others(record), cpu, memory)
        if pending is None:
            resize.given, resize.pending = allocation.asked_for(pod), None
            resize.under_way, resize.error, resize.retry_at = True, "", 0.0
            resize.generation = generation
            self._around.notes.tell(pod, "ResizeStarted", decide_resize.told("Pod resize started", pod))
            return
        if pending != resize.pending or generation != resize.generation:
            text = decide_resize.told(f"Pod resize {pending.reason}", pod, pending.message)
            self._around.notes.tell(pod, f"Resize{pending.reason}", text, warning=True)
        resize.pending, resize.generation = pending, generation

    def _others(self, record: Record) -> Iterator[Object]:
        for other in list(self._records()):
            if other is not record and not other.finished and not is_terminal(other.pod):
                yield other.pod

    def room_made(self) -> None:
        """A pod has gone, or asks for less: others that wait for room are looked at again."""
        for record in list(self._records()):
            if record.memory.resize.pending is not None:
                self._wake(record.uid, 0.0)

    def decided(self, record: Record, state: PodState | None, decision: Decision) -> Decision:
        """A decision, or if there is nothing else to do, what there is to do for the pod's resize."""
        resize = record.memory.resize
        if decision.actions or decision.finished or not resize.under_way:
            return decision
        more = decide_resize.resizing(record.pod, state, record.memory, self._around.clock.now())
        for action in more.actions:
            if isinstance(action, PreStop | Stop):
                resize.anew.update(target.id for target in action.targets)
        return replace(decision, actions=more.actions, wake_at=soonest(decision.wake_at, more.wake_at))

    @staticmethod
    def seen(record: Record, state: PodState | None) -> PodState | None:
        """The pod as it is to be judged: a container that was stopped for its resize has not done its work, however well
        it took that."""
        anew = record.memory.resize.anew
        if not anew or state is None:
            return state
        return replace(
            state,
            containers=tuple(
                replace(c, exit_code=TERMINATED)
                if c.id in anew and c.state is State.EXITED and c.exit_code == 0
                else c
                for c in state.containers
            ),
        )

    def carry_out(self, record: Record, action: ResizeContainer) -> None:
        """Hold a running container to its new limits. What keeps it from that is told, and tried again later."""
        resize, runtime, pod = record.memory.resize, self._around.runtime, record.pod
        error = ""
        if not isinstance(runtime, Resizes):
            error = f"the {runtime.name} runtime can't resize a running container"
        else:
            try:
                error = self._too_small(runtime, record, action)
                if not error:
                    runtime.resize_container(ref(pod), action.id, action.limits)
            except ContainerError as exc:
                error = exc.message
        # What does not show at once is not done over and over.
        resize.retry_at = self._around.clock.now() + (RETRY if error else SHOWS)
        if error and error != resize.error:
            text = decide_resize.told("Pod resize error", pod, error)
            self._around.notes.tell(pod, "ResizeError", text, warning=True)
        resize.error = error
        resize.under_way = True

    @staticmethod
    def _too_small(runtime: Resizes, record: Record, action: ResizeContainer) -> str:
        """Why memory can't be taken away now: who is held to less than they use would be ended by the kernel."""
        if not action.shrinks:
            return ""
        used = runtime.memory_in_use(ref(record.pod), action.id)
        if used < action.limits.memory_bytes:
            return ""
        return (
            f'attempting to set container "{action.name}" memory limit ({action.limits.memory_bytes}) '
            f"below current usage ({used})"
        )

    def note_done(self, record: Record, state: PodState | None) -> None:
        """See whether the containers have what their pod was given."""
        resize = record.memory.resize
        if not resize.under_way or not decide_resize.in_place(record.pod, state):
            return
        resize.under_way, resize.error = False, ""
        pod = record.pod
        self._around.notes.tell(pod, "ResizeCompleted", decide_resize.told("Pod resize completed", pod))
        self.room_made()


def _was_under_way(pod: Object) -> bool:
    """Whether an agent before this one left a resize half done."""
    return any(
        c.get("type") == decide_resize.IN_PROGRESS for c in (pod.get("status") or {}).get("conditions") or ()
    )
