"""The machine as its agent knows it: what it has, whether pods can run on it, and what the API was told."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Collection

from app.objects.change import Object
from workers.agent.addresses import Addresses
from workers.agent.admitting.admission import Room
from workers.agent.node import standing
from workers.agent.node.report import SHUTTING_DOWN, node_object, own_address, says_the_same
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import AnswersProbes, ContainerError, NodeInfo

log = logging.getLogger("beanpole.agent")


class Machine:
    """Keeps the node's report up to date.

    Args:
        queue: where nudges for the node go. pressures: what the machine is short of, as conditions of the node.

    Attributes:
        prepared: the range of pod addresses for which the runtime is ready; empty while it isn't.
    """

    def __init__(self, around: Surroundings, queue: str, pressures: Callable[[], Collection[str]]) -> None:
        self._around, self._queue, self._pressures = around, queue, pressures
        self._report: Object | None = None
        self._accepted: Object | None = None
        self._trouble = ""
        self._lock = threading.Lock()
        self._looks = itertools.count(1)
        self._noted = 0
        self.prepared = ""

    @property
    def known(self) -> bool:
        """Whether there is anything to report yet."""
        return self._report is not None

    def due(self, asked: bool) -> Object | None:
        """The node's object if the API doesn't have it as it is, or has asked for it."""
        if self._report is None or (not asked and says_the_same(self._accepted, self._report)):
            return None
        return self._report

    def accepted(self, report: Object) -> None:
        """The API has it."""
        self._accepted = report

    def look(self) -> bool:
        """See what the machine has, and whether its runtime answers. Whether that is news. Safe to call from many
        threads."""
        around, number = self._around, next(self._looks)
        down = ""
        try:
            around.info = around.runtime.info()
        except ContainerError as exc:
            down = f"{standing.DOWN}: {exc.message}"
        if around.info is None:
            log.warning("%s: %s", around.node, down)
            return False
        pressures = self._pressures()
        with self._lock:
            # A look that waited long for its runtime knows less than one that began later and is through already.
            if number < self._noted:
                return False
            self._noted = number
            return self._note(around.info, pressures, down)

    def _note(self, info: NodeInfo, pressures: Collection[str], down: str) -> bool:
        around = self._around
        simulated = isinstance(around.runtime, AnswersProbes)
        if not around.node_ip and not simulated:
            around.node_ip = around.settings.node_address or own_address(around.settings)
        problems = "; ".join(f"{k}: {v}" if k else v for k, v in sorted(around.network.problems().items()))
        fresh = node_object(
            around.node,
            self._queue,
            around.node_ip or "127.0.0.1",
            info,
            pressures,
            self._report,
            around.clock.now(),
            trouble=(SHUTTING_DOWN if around.leaving else "") or down or self._trouble,
            problems=problems,
            volumes=str(around.volume_folders.root),
            registered=around.registered,
        )
        if around.image_keeper is not None:
            fresh["status"]["images"] = around.image_keeper.listed
        if says_the_same(self._report, fresh):
            return False
        if not simulated:
            standing.tell_change(around.notes, self._report, fresh)
        self._report = fresh
        return True

    def room(self, known: Object | None, pressures: Collection[str]) -> Room | None:
        """Who may run on the node: as the API has it, if it was `known` to, else as it reports itself."""
        if self._report is None:
            return None
        own = self._report
        return Room(
            self._around.node,
            (known or own["metadata"]).get("labels") or {},
            (known or own["spec"]).get("taints") or (),
            {**((known or {}).get("allocatable") or {}), **own["status"]["allocatable"]},
            pressures,
            self._around.leaving,
        )

    def prepare(self, cidr: str) -> bool:
        """Make the node ready for pods with addresses of its range. Whether it is; if it is already, this costs
        nothing."""
        if not cidr:
            return False
        if cidr == self.prepared:
            return True
        around = self._around
        try:
            gateway = around.runtime.prepare(cidr)
        except ContainerError as exc:
            trouble = f"the node's network could not be made: {exc.message}"
            # It is tried again and again.
            if trouble != self._trouble:
                log.error("%s: %s", around.node, trouble)
            self._trouble = trouble
            return False
        around.network.start(gateway)
        if isinstance(around.runtime, AnswersProbes):
            around.node_ip = gateway
        if around.addresses is None or around.addresses.cidr != cidr:
            around.addresses = Addresses(cidr)
        self.prepared, self._trouble = cidr, ""
        return True

    def tell(self, reason: str, message: str) -> None:
        """A Warning about the node."""
        if self._report is not None:
            self._around.notes.tell(self._report, reason, message, warning=True)

    def unprepare(self) -> None:
        """The runtime went away and may have forgotten everything."""
        self.prepared = ""
