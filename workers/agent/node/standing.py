"""What is told of the node itself when its standing changes, in Events beside its conditions.

The words are kubelet's (`pkg/kubelet/events`: NodeReady, NodeNotReady) where it has some.
"""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.exchange.notes import Notes

DOWN = "the container runtime is down"
RUNTIME_DOWN = "ContainerRuntimeDown"
# What is told when a condition of pressure becomes True, and when it no longer is.
_PRESSURES = {
    "MemoryPressure": ("NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
    "DiskPressure": ("NodeHasDiskPressure", "NodeHasNoDiskPressure"),
    "PIDPressure": ("NodeHasInsufficientPID", "NodeHasSufficientPID"),
}


def tell_change(notes: Notes, before: Object | None, now: Object) -> None:
    """Tell of what differs between two reports of the node (`node_object`), the first of which says nothing new."""
    if before is None:
        return
    was, is_now = _ready(before), _ready(now)
    name = now["metadata"]["name"]
    if is_now["message"].startswith(DOWN) and not was["message"].startswith(DOWN):
        notes.tell(now, RUNTIME_DOWN, is_now["message"], warning=True)
    if was["status"] != is_now["status"]:
        reason = "NodeReady" if is_now["status"] == "True" else "NodeNotReady"
        notes.tell(now, reason, f"Node {name} status is now: {reason}")
    for type_, (short, well) in _PRESSURES.items():
        before_, now_ = _status(before, type_), _status(now, type_)
        # A node that has what it needs from the beginning is no news.
        if before_ and now_ and before_ != now_:
            reason = short if now_ == "True" else well
            notes.tell(now, reason, f"Node {name} status is now: {reason}")


def _status(node: Object, type_: str) -> str:
    return next((str(c["status"]) for c in node["status"]["conditions"] if c["type"] == type_), "")


def _ready(node: Object) -> Object:
    return next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
