"""Images where they are only names, or entries in a dict: nothing is pulled, no login is needed."""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.configuring.container import pull_policy
from workers.agent.deciding.step import StartContainer
from workers.agent.images import words as image_words
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime import images
from workers.runtime.image_store import NamesImages
from workers.runtime.protocol import AnswersProbes


class ImageNames:
    """See the module. Args: runtime: the node's."""

    def __init__(self, around: Surroundings, runtime: NamesImages) -> None:
        self._around, self._runtime = around, runtime
        # A simulated node tells of trouble only.
        self._tells = not isinstance(runtime, AnswersProbes)

    def have(self, record: Record, container: Object, action: StartContainer) -> None:
        """Return once the container may start. Raises ContainerError."""
        image = str(container.get("image") or "")
        how = self._runtime.ensure_image(image, pull_policy(container))
        if self._tells:
            said = image_words.present(image)
            if how == images.PULLED:
                said = image_words.pulled(image, 0.0, 0.0, 0)
            self._around.notes.tell(record.pod, "Pulled", said, container=action.name, init=action.init)

    def abandon(self, uid: str) -> None:
        """The pod starts nothing any more."""
