"""Which runtime this machine has: docker if an engine answers, else processes."""

from __future__ import annotations

import sys

from app.base.clock import Clock
from app.base.errors import UserError
from app.base.settings import Settings, load
from workers.runtime.log_limits import limits_of
from workers.runtime.protocol import Runtime
from workers.runtime.simulated import SimulatedRuntime

NAMES = ("docker", "process", "simulated")


def name_for(settings: Settings) -> tuple[str, str]:
    """The runtime's name and why that one, in words for a person.

    Raises:
        UserError: none can work here, or the one asked for is unknown.
    """
    asked = settings.runtime
    if asked and asked not in NAMES:
        raise UserError(f"BEANPOLE_RUNTIME={asked!r} is not one of {', '.join(NAMES)}; correct or unset it")
    if asked == "simulated":
        return asked, "asked for; nothing real runs"
    if not sys.platform.startswith("linux"):
        raise UserError(f"containers need Linux, not {sys.platform}; use --runtime simulated to look around")
    if asked == "process":
        return asked, "asked for"
    from workers.runtime.docker import reachable

    answers, said = reachable()
    if asked == "docker" and not answers:
        raise UserError(f"no engine answers ({said}); start Docker, or use --runtime process")
    if asked == "docker":
        return asked, f"asked for; {said}"
    if answers:
        return "docker", said
    return "process", f"no engine answers ({said})"


def make(settings: Settings, clock: Clock, node: str = "", name: str = "") -> Runtime:
    """The runtime of one node.

    Args:
        node: whose; empty means `settings.node`. name: as `name_for` answered; empty asks it.

    Raises:
        UserError: see `name_for`; or the limits of logs make no sense.
    """
    node = node or settings.node
    name = name or name_for(settings)[0]
    # Said at the start, and not when the first container is.
    limits_of(settings.log_max_size, settings.log_max_files)
    if name == "simulated":
        return SimulatedRuntime(clock, node)
    if name == "process":
        from workers.runtime.process import ProcessRuntime

        return ProcessRuntime(settings.state_dir / "process" / node, clock)
    from workers.runtime.docker import DockerRuntime

    return DockerRuntime(
        settings.cluster, node, settings.state_dir / "docker" / node, clock, cluster_cidr=settings.pod_cidr
    )


def choose(settings: Settings, clock: Clock, node: str = "") -> tuple[Runtime, str]:
    """The runtime of one node, and why that one. Raises UserError as `name_for`."""
    name, why = name_for(settings)
    return make(settings, clock, node, name), why


def main() -> None:
    """`python -m workers.runtime.select` prints `<name>\\t<why>`: for `beanpole up`, which imports no workers."""
    try:
        name, why = name_for(load())
    except UserError as exc:
        sys.exit(str(exc))
    print(f"{name}\t{why}")


if __name__ == "__main__":
    main()
