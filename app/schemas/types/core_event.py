"""Events: what happened to an object."""

from __future__ import annotations

from app.schemas.fields import Int32, MicroTime, String, Struct, Time
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_reference import ObjectReference


class EventSeries(Core):
    """How often and until when an event went on."""

    count = Int32()
    lastObservedTime = MicroTime()


class EventSource(Core):
    """Which part of the system saw an event."""

    component = String()
    host = String()


class Event(Core):
    """Something that happened to an object."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    involvedObject = Struct(ObjectReference, "What it happened to.", by_value=True)
    reason = String("What happened, in one word.")
    message = String("What happened.")
    source = Struct(EventSource, by_value=True)
    firstTimestamp = Time()
    lastTimestamp = Time()
    count = Int32("How often it happened.")
    type = String("Normal or Warning.")
    eventTime = MicroTime()
    series = Struct(EventSeries)
    action = String()
    related = Struct(ObjectReference)
    reportingComponent = String(keep_zero=True)
    reportingInstance = String(keep_zero=True)
