"""Names inside running pods: a pod's hosts file follows the cluster's services for as long as the pod runs.

The file is written in the pod's own step, as everything that touches a pod is; `outdated` says which pods need one.
A step that starts a pod meanwhile looks for itself afterwards, so no change is missed between the two.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from workers.agent.pod import ref
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import AnswersProbes, ContainerError, PodState

log = logging.getLogger("beanpole.agent")


class HostsFiles:
    """The hosts files of a node's pods. Simulated pods have none."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._real = not isinstance(around.runtime, AnswersProbes)

    def outdated(self, records: Iterable[Record]) -> list[str]:
        """The uids of pods whose file is not what it should be now."""
        if not self._real:
            return []
        return [
            record.uid
            for record in records
            if record.memory.hosts is not None
            and not record.finished
            and record.memory.hosts != self._mark(record, record.memory.hosts[0])
        ]

    def refresh(self, record: Record, state: PodState | None) -> None:
        """Put the pod's file right. What can't be written is told in the log and tried in the next step."""
        if not self._real or state is None or record.unknown:
            return
        if not state.ready:
            # What has ended needs no names, and is not to be looked at for them.
            record.memory.hosts = None
            return
        # Worked out before the text: services that change in between are found by the next look.
        mark = self._mark(record, state.address)
        if mark == record.memory.hosts:
            return
        text = self._around.network.hosts(record.ordered, state.address)
        try:
            self._around.runtime.refresh(ref(record.pod), text)
        except ContainerError as exc:
            log.warning("%s: %s", record.pod["metadata"]["name"], exc)
            return
        record.memory.hosts = mark

    def _mark(self, record: Record, address: str) -> tuple[str, int]:
        return address, self._around.network.hosts_mark(record.ordered)
