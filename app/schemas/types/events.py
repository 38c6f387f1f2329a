"""events.k8s.io/v1: Events in their newer form. They are stored as `v1` Events, see `conversion_event`."""

from __future__ import annotations

from app.schemas.field import Check
from app.schemas.fields import Int32, MicroTime, String, Struct, Time, Type
from app.schemas.formats import qualified_name
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_event import EventSource
from app.schemas.types.core_reference import ObjectReference


def at_most(length: int) -> Check:
    """Text of at most so many characters."""
    return lambda value: [] if len(value) <= length else [f"can have at most {length} characters"]


class Events(Type):
    """Types of this group."""

    package = "io.k8s.api.events.v1"


class EventSeries(Events):
    """How often and until when an event went on."""

    count = Int32("How often it happened.", required=True, keep_zero=True)
    lastObservedTime = MicroTime("When it last happened.", required=True)


class Event(Events):
    """Something that happened to an object."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    eventTime = MicroTime("When it first happened.", required=True)
    series = Struct(EventSeries, "How it went on; none if it happened once.")
    reportingController = String("Who tells of it.", required=True, check=qualified_name)
    reportingInstance = String("Which instance of that.", required=True, check=at_most(128))
    action = String("What was done.", required=True, check=at_most(128))
    reason = String("Why, in one word.", required=True, check=at_most(128))
    regarding = Struct(ObjectReference, "What it happened to.", by_value=True)
    related = Struct(ObjectReference, "What else had to do with it.")
    note = String("What happened.", check=at_most(1024))
    type = String("Normal or Warning.")
    deprecatedSource = Struct(EventSource, "As in v1 Events.", by_value=True)
    deprecatedFirstTimestamp = Time("As in v1 Events.")
    deprecatedLastTimestamp = Time("As in v1 Events.")
    deprecatedCount = Int32("As in v1 Events.")
