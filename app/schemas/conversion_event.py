"""An Event of events.k8s.io/v1 as a v1 Event, and back (k8s.io/kubernetes/pkg/apis/events/v1/conversion.go).

Both say the same in other words; nothing is lost either way.
"""

from __future__ import annotations

from app.objects.change import Object

# Name in events.k8s.io/v1 -> name in v1. All others are the same.
_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_BACK = {old: new for new, old in _NAMES.items()}


def to_core(event: Object) -> Object:
    """The v1 Event for one of events.k8s.io/v1."""
    return {_NAMES.get(name, name): value for name, value in event.items()}


def from_core(event: Object) -> Object:
    """The Event of events.k8s.io/v1 for a v1 Event."""
    return {_BACK.get(name, name): value for name, value in event.items()}
