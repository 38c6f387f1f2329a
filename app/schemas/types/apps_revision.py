"""apps/v1: ControllerRevisions, the history of StatefulSets and DaemonSets."""

from __future__ import annotations

from app.schemas.fields import Anything, Int64, String, Struct
from app.schemas.formats import not_negative
from app.schemas.meta import ObjectMeta
from app.schemas.types.apps import Apps


class ControllerRevision(Apps):
    """What a StatefulSet or DaemonSet was at some time, to go back to. It never changes, but for its number."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    data = Anything("A patch that makes the owner what it was.", keep_zero=True, immutable=True)
    revision = Int64(
        "Which of its owner's states it is; the highest is the newest.",
        required=True,
        keep_zero=True,
        check=not_negative,
    )
