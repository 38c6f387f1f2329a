"""Removing all that a cluster's agents left on this machine: pods, their volumes, service rules.

`python -m workers.agent.cleanup pods` prints how many pods there are, `... remove <grace>` removes everything but what
outlives pods, and `... volumes` the volumes that the engine holds: for `beanpole down`, which imports no workers. The cluster's settings come from the environment.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from app.base.clock import Clock, SystemClock
from app.base.errors import BeanpoleError
from app.base.settings import Settings, load
from workers.agent.volumes import volumes
from workers.network.nft import NftPlane
from workers.network.routes import Routes
from workers.network.select import lacking
from workers.runtime import cleanup
from workers.runtime.host_mounts import HostMounts


class CleanupFailed(BeanpoleError):
    """Something is left. Doing it again goes on where this ended."""


def remove(settings: Settings, clock: Clock, grace: float) -> None:
    """Leave nothing. No agent of the cluster may be running: it would start its pods again.

    Args:
        grace: seconds that containers get between SIGTERM and SIGKILL.

    Raises:
        BeanpoleError: something could not be removed. Doing it again goes on where this ended.
    """
    cleanup.remove(settings, clock, grace)
    # Without root there never were such rules; `lacking` also says where they can't be had otherwise.
    if settings.runtime == "docker" and not lacking():
        NftPlane(
            settings.cluster, settings.service_cidr, settings.pod_cidr, settings.state_dir, clock
        ).remove()
        Routes(settings.pod_cidr, clock).remove()
    try:
        volumes.remove(settings.state_dir / "pods", HostMounts(engine=settings.runtime == "docker"))
    except OSError as exc:
        raise CleanupFailed(f"volumes in memory could not be unmounted: {exc}") from exc


def main(arguments: Sequence[str]) -> None:
    """See the module."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    try:
        settings = load()
        if arguments[0] == "pods":
            print(cleanup.pods(settings))
        elif arguments[0] == "volumes":
            cleanup.remove_volumes(settings)
        else:
            remove(settings, SystemClock(), float(arguments[1]))
    except BeanpoleError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main(sys.argv[1:])
