"""What marks a pod as one that stands for a static one can be neither added nor taken away.

`ValidatePodSpecificAnnotations` and `ValidatePodSpecificAnnotationUpdates` in kubernetes/pkg/apis/core/validation.
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import MIRROR
from app.schemas.faults import Faults

_PATH = f"metadata.annotations[{MIRROR}]"


def on_create(pod: Object, faults: Faults) -> None:
    """A mirror is of the node that made it."""
    notes = pod["metadata"].get("annotations") or {}
    if MIRROR in notes and not (pod.get("spec") or {}).get("nodeName"):
        faults.invalid(_PATH, notes[MIRROR], "must set spec.nodeName if mirror pod annotation is set")


def on_update(old: Object, new: Object, faults: Faults) -> None:
    """It stays what it is."""
    before = (old["metadata"].get("annotations") or {}).get(MIRROR)
    after = (new["metadata"].get("annotations") or {}).get(MIRROR)
    if before is None and after is not None:
        faults.forbidden(_PATH, "may not add mirror pod annotation")
    elif before != after:
        faults.forbidden(_PATH, "may not remove or update mirror pod annotation")
