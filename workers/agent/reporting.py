"""What the API and users are told of a pod: its status whenever that changed, what waits in back-off, and its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from workers.agent.deciding.containers import Health
from workers.agent.deciding.restarts import is_init
from workers.agent.exchange.outbox import Outbox
from workers.agent.pod import full_name, newest
from workers.agent.pressure.ending import of_rejected
from workers.agent.record import Record
from workers.agent.status.pod_status import pod_status
from workers.agent.surroundings import Surroundings
from workers.agent.volumes.mounts import show_mounts
from workers.runtime.protocol import PodState


class Reporter:
    """See the module.

    Args:
        report: something is in the outbox.
    """

    def __init__(self, around: Surroundings, outbox: Outbox, report: Callable[[], None]) -> None:
        self._around, self._outbox, self._report = around, outbox, report

    def status(self, record: Record, state: PodState | None, health: Mapping[str, Health]) -> None:
        """Tell the pod's status, if it is another one now."""
        if record.unknown:
            return
        status = pod_status(
            record.pod,
            state,
            record.memory,
            health,
            self._around.clock.now(),
            node_ip=self._around.node_ip,
            runtime=self._around.runtime.name,
        )
        show_mounts(status, record.pod, self._around.runtime.features)
        if record.memory.rejected:
            status = of_rejected(status)
        same = status == record.pod.get("status")
        record.reported = status
        if not same:
            self._outbox.status(record.pod, status)
            self._report()

    def rest(self, record: Record, state: PodState | None, backing_off: Iterable[str]) -> None:
        """There is nothing to do for now: tell what happened, and of each container that waits in back-off, once."""
        for name in backing_off:
            self._back_off(record, state, name)
        if self._around.notes:
            self._report()

    def gone(self, record: Record) -> None:
        """Nothing is left of the pod."""
        if not record.unknown:
            self._outbox.removed(record.pod)
        self._report()

    def _back_off(self, record: Record, state: PodState | None, name: str) -> None:
        pod, mine, found = record.pod, record.memory.of(name), newest(state, name)
        attempt = found.attempt if found else 0
        if mine.told != attempt:
            mine.told = attempt
            message = f"Back-off restarting failed container {name} in pod {full_name(pod)}"
            init = is_init(pod, name)
            self._around.notes.tell(pod, "BackOff", message, warning=True, container=name, init=init)
