"""The content of a running pod's volumes follows that of the ConfigMaps, Secrets and tokens it is made from.

https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
"""

from __future__ import annotations

from workers.agent.configuring.sources import NotYetKnown
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.agent.volumes import content
from workers.agent.volumes.volumes import SetUpFailed
from workers.runtime.protocol import ContainerError


class VolumeContents:
    """See the module."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def refresh(self, record: Record) -> None:
        """Write anew what may have changed, if anything may. What can't be written keeps its content, and is tried again
        whenever the pod is looked at."""
        tokens = self._around.tokens
        if not (record.volumes_due or (tokens is not None and tokens.due(record.uid))):
            return
        record.volumes_due = False
        if not content.are_live(record.pod, tokens=not self._around.simulated):
            return
        try:
            state = self._around.runtime.pod(record.uid)
            if state is not None:
                sources = self._around.sources(record.pod, state.address)
                self._around.volumes(record.pod).refresh(sources)
        except (NotYetKnown, ContainerError):
            # An exchange brings the former; when the runtime is back, its pods are looked at.
            record.volumes_due = True
        except SetUpFailed as exc:
            record.volumes_due = True
            for message in exc.messages:
                self._around.notes.tell(record.pod, "FailedMount", message, warning=True)
