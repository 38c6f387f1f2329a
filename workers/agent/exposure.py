"""Ports of the machine that lead into pods (`hostPort`), where the agent and not an engine carries them."""

from __future__ import annotations

import logging

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent.configuring.sandbox import host_ports
from workers.agent.deciding.decide import has_ended
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import AnswersProbes, ContainerError, PodState

log = logging.getLogger("beanpole.agent")


class Exposure:
    """The ports of a node's pods. Simulated pods have none."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._real = not isinstance(around.runtime, AnswersProbes)
        self._served: set[str] = set()

    def begin(self, pod: Object, address: str) -> None:
        """Before the pod's sandbox is made.

        Raises:
            ContainerError: FailedCreatePodSandBox: a port is taken.
        """
        wanted = tuple((p.address, p.protocol, p.host_port, p.port) for p in host_ports(pod))
        if not self._real or not wanted:
            return
        try:
            self._around.network.expose(pod, address, self._around.node_ip, wanted)
        except BeanpoleError as exc:
            raise ContainerError("FailedCreatePodSandBox", f"hostPort: {exc}") from exc
        self._served.add(pod["metadata"]["uid"])

    def follow(self, record: Record, state: PodState | None) -> None:
        """Of a pod that an agent before this one began, once; not of one that has ended."""
        if record.uid in self._served or not self._real or state is None or record.unknown:
            return
        if has_ended(record.pod, state):
            return
        self._served.add(record.uid)
        try:
            self.begin(record.ordered, state.address)
        except ContainerError as exc:
            self._around.notes.tell(record.pod, exc.reason, exc.message, warning=True)

    def end(self, record: Record) -> None:
        """Nothing of the pod runs any more."""
        if record.uid in self._served:
            self._around.network.expose(record.pod, "", "", ())
            self._served.discard(record.uid)
