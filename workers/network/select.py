"""The least data plane that is right for this machine."""

from __future__ import annotations

import logging
import os
import shutil

from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from workers.network.nft import NftPlane
from workers.network.protocol import DataPlane
from workers.network.rules import Rules
from workers.network.userspace import UserspacePlane

log = logging.getLogger(__name__)


class NoPlane:
    """For simulated containers, which nobody can connect to: only the revision counts."""

    name = "none"

    def __init__(self) -> None:
        self.revision = -1

    def apply(self, rules: Rules) -> None:
        self.revision = rules.revision

    def problems(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        """There is nothing to let go of."""


class Unavailable(NoPlane):
    """Services can't be reached on this node; everything else works. `why` says what to do."""

    name = "unavailable"

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why
        log.warning("%s", why)

    def problems(self) -> dict[str, str]:
        return {"": self.why}


def make_data_plane(
    settings: Settings, runtime_name: str, clock: Clock | None = None, ids: Ids | None = None
) -> DataPlane:
    """The data plane for a runtime: `process` gets the proxy in user space, `docker` nftables (which
    takes root and the program nft), `simulated` none."""
    if runtime_name == "simulated":
        return NoPlane()
    if runtime_name == "process":
        return UserspacePlane(clock, ids)
    missing = lacking()
    if missing:
        return Unavailable(missing)
    return NftPlane(settings.cluster, settings.service_cidr, settings.pod_cidr, settings.state_dir, clock)


def lacking() -> str:
    """What this machine lacks for services among Docker containers: one sentence, or nothing."""
    if os.geteuid() != 0:
        return (
            "services can't be reached on this node: their addresses are made with nftables, which takes "
            "root; run the agent as root, or use --runtime process"
        )
    if shutil.which("nft") is None:
        return (
            "services can't be reached on this node: the program nft is not installed; "
            "install it (apt-get install nftables) and start the agent again"
        )
    return ""
