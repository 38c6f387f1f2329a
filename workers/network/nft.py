"""The data plane of Docker machines: nftables, written as root.

All nodes of a cluster on one machine share one table, because the kernel has one set of hooks.
`...TrafficPolicy: Local` is therefore right with one node to a machine; with several, the rules of the
node that wrote last hold for all.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from pathlib import Path

from app.base.clock import Clock, SystemClock
from workers.network import conntrack, machine
from workers.network.command import run
from workers.network.nft_script import removal, script, table_name
from workers.network.protocol import DataPlaneError
from workers.network.rules import Rules
from workers.network.turn import turn

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0


class NftPlane:
    """See `DataPlane`. Rules stay in force when the agent ends, as its containers do; `remove` takes
    them away."""

    name = "nftables"

    def __init__(
        self, cluster: str, service_cidr: str, pod_cidr: str, state_dir: Path, clock: Clock | None = None
    ) -> None:
        self._cluster = cluster
        self._service_cidr = service_cidr
        self._pod_cidr = pod_cidr
        self._state_dir = state_dir
        self._clock = clock or SystemClock()
        self._table = table_name(cluster)
        self._lock = threading.Lock()
        self._rules: Rules | None = None
        self._bridged = True
        self._brief = True
        self._checked = 0.0
        self._problems: dict[str, str] = {}
        self._entries = conntrack.Entries(self._clock, self._told)
        self.revision = -1

    def apply(self, rules: Rules) -> None:
        with self._lock:
            first = self._rules is None
            due = first or self._clock.monotonic() - self._checked > CHECK_SECONDS
            if due:
                self._prepare()
            gone = due and not self._exists()
            if gone or rules != self._rules:
                self._write(rules, force=gone)
                machine.let_pods_reach_themselves(self._pod_cidr)
                self._rules = rules
            self.revision = rules.revision

    def problems(self) -> dict[str, str]:
        return dict(self._problems)

    def close(self) -> None:
        """The kernel carries on."""
        self._entries.close()

    def remove(self) -> None:
        """Take the rules away, for a cluster that is no more."""
        with self._lock, turn(self._state_dir, self._table) as mine:
            run(["nft", "-f", "-"], removal(self._table))
            machine.stop_forwarding(self._cluster, self._pod_cidr, self._service_cidr)
            mine.wrote(-1, "")
            self._rules = None

    def _prepare(self) -> None:
        """The machine's part, and again every half minute: a restart of Docker or of a firewall
        service takes rules away that are not its own."""
        self._checked = self._clock.monotonic()
        self._bridged = machine.pass_bridged_packets()
        problem = machine.forward(self._cluster, self._pod_cidr, self._service_cidr)
        if problem and problem != self._problems.get(""):
            log.warning("%s", problem)
        self._problems = {"": problem} if problem else {}

    def _exists(self) -> bool:
        return run(["nft", "list", "chain", "ip", self._table, "dispatch"])[0] == 0

    def _write(self, rules: Rules, *, force: bool) -> None:
        text = self._script(rules)
        digest = hashlib.sha256(text.encode()).hexdigest()
        with turn(self._state_dir, self._table) as mine:
            if not force and mine.outdated(rules.revision):
                return  # what is in force is newer than these
            if force or mine.last is None or mine.last.digest != digest:
                code, said = run(["nft", "-f", "-"], text)
                if code != 0 and self._brief:
                    # Perhaps a kernel without timeouts of one's own (CONFIG_NF_CONNTRACK_TIMEOUT).
                    self._brief = False
                    text = self._script(rules)
                    code, said = run(["nft", "-f", "-"], text)
                    self._brief = code != 0
                    digest = hashlib.sha256(text.encode()).hexdigest()
                if code != 0:
                    raise DataPlaneError(f"nft refused the service rules: {said.strip()[:500]}")
            mine.wrote(rules.revision, digest)
        self._entries.changed(self._rules or Rules(), rules)

    def _script(self, rules: Rules) -> str:
        return script(
            rules,
            self._table,
            self._service_cidr,
            self._pod_cidr,
            bridged=self._bridged,
            brief=self._brief,
        )

    def _told(self, problem: str) -> None:
        if "" not in self._problems:
            self._problems[""] = problem
            log.warning("%s", problem)
