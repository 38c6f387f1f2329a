"""Making a node ready for pods, and seeing that it stays so.

All of it asks the runtime, which may take its time or hang; so it is done in jobs of its own, and an exchange, by
which the API knows that the node lives, never waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from workers.agent.exchange.conversation import Conversation
from workers.agent.jobs import Jobs
from workers.agent.node.machine import Machine
from workers.agent.pods import Pods
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, PodState
from workers.runtime.recovery import KeepsFiles, LosesNetwork

log = logging.getLogger("beanpole.agent")

# How often the machine itself is looked at. Seconds.
LOOK = 10.0
LANE = "node"


class Readiness:
    """See the module.

    Args:
        lock: held while what the API told is read or changed. report: there is something to say.
        adopted: called once, when it is known what runs.
    """

    def __init__(
        self,
        around: Surroundings,
        machine: Machine,
        told: Conversation,
        pods: Pods,
        jobs: Jobs,
        lock: threading.RLock,
        report: Callable[[], None],
        adopted: Callable[[], None],
    ) -> None:
        self._around, self._machine, self._told, self._pods = around, machine, told, pods
        self._jobs, self._lock, self._report, self._adopted = jobs, lock, report, adopted
        self._one = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Look at the machine no more."""
        self._stopping.set()

    def heard(self) -> None:
        """An exchange may have brought what was lacking: the node's range, or its pods."""
        if not self._pods.adopted or self._machine.prepared != self._told.pod_cidr:
            self._jobs.after(("ready", self._around.node), 0.0, self.make, LANE)

    def make(self) -> None:
        """Make the node ready for pods, once its range is known, and match what runs with what should."""
        with self._one:
            before = self._machine.prepared
            self._machine.prepare(self._told.pod_cidr)
            tried = bool(self._told.pod_cidr) and self._machine.prepared != self._told.pod_cidr
            if (tried or self._machine.prepared != before) and self._machine.look():
                self._report()
            if self._machine.prepared and self._told.since and not self._pods.adopted:
                self._adopt()

    def again(self) -> None:
        """The runtime went away and may have forgotten everything."""
        if self._has_lost_network():
            message = (
                "the node's network is gone; it is made again, and pods that can't be put into it with it"
            )
            self._machine.tell("NetworkNotReady", message)
        with self._one:
            self._machine.unprepare()
        self.make()
        self._pods.wake_all()

    def look(self) -> None:
        """See how the machine is, now and every `LOOK` seconds from now on."""
        if not self._stopping.is_set():
            self._jobs.after(("node", self._around.node), LOOK, self.look, LANE)
        self._around.network.keep()
        self._around.network.reach(self._around.peers, self._around.node_ip)
        if self._machine.look():
            self._report()
        if self._has_lost_network():
            self.again()

    def _has_lost_network(self) -> bool:
        runtime, cidr = self._around.runtime, self._machine.prepared
        if not cidr or not isinstance(runtime, LosesNetwork):
            return False
        try:
            return not runtime.has_network(cidr)
        except ContainerError:
            # What keeps it from answering, its absence tells.
            return False

    def running(self) -> list[PodState]:
        """What runs, for the first time that it is asked. Raises ContainerError."""
        runtime = self._around.runtime
        found = runtime.pods()
        if isinstance(runtime, KeepsFiles) and not (self._pods.adopted or self._pods.early):
            # No pod is being started yet.
            runtime.sweep({state.pod.uid for state in found})
        return found

    def _adopt(self) -> None:
        try:
            running = self.running()
        except ContainerError as exc:
            log.warning("%s: %s", self._around.node, exc)
            return
        with self._lock:
            self._pods.adopt(running)
        self._adopted()
        self._pods.wake_all()
