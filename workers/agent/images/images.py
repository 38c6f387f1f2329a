"""How a node's pods get their images: from registries where the runtime keeps images, else by name alone."""

from __future__ import annotations

from collections.abc import Callable

from workers.agent.images.keeper import ImageKeeper
from workers.agent.images.names import ImageNames
from workers.agent.images.supply import ImageSupply
from workers.agent.jobs import Jobs
from workers.agent.surroundings import Surroundings
from workers.runtime.image_store import KeepsImages, NamesImages


def provide(
    around: Surroundings, jobs: Jobs, wake: Callable[[str, float], None], report: Callable[[], None]
) -> None:
    """Give the node's pods what they get images from (`around.images`, `around.image_keeper`).

    Args:
        wake: asks for a step of a pod. report: there is something to say.
    """
    runtime, settings = around.runtime, around.settings
    if isinstance(runtime, KeepsImages):
        around.image_keeper = ImageKeeper(
            around.node,
            runtime.images,
            settings.state_dir / "images" / f"{around.node}.json",
            around.clock,
            jobs,
            around.notes,
            settings.image_gc_high,
            settings.image_gc_low,
            report,
        )
        around.images = ImageSupply(around, around.image_keeper, jobs, wake, report)
    elif isinstance(runtime, NamesImages):
        around.images = ImageNames(around, runtime)
