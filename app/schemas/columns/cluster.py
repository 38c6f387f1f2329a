"""The tables of nodes, namespaces, configuration, events and leases."""

from __future__ import annotations

from dataclasses import replace

from app.objects.change import Object
from app.schemas import conversion_event
from app.schemas.columns.column import AGE, NAME, NONE, joined
from app.schemas.duration import UNKNOWN, since
from app.schemas.kind import Column

_ROLE = "node-role.kubernetes.io/"


def _node_status(node: Object) -> str:
    parts = [
        "Ready" if condition.get("status") == "True" else "NotReady"
        for condition in (node.get("status") or {}).get("conditions") or ()
        if condition.get("type") == "Ready"
    ] or ["Unknown"]
    if (node.get("spec") or {}).get("unschedulable"):
        parts.append("SchedulingDisabled")
    return ",".join(parts)


def _roles(node: Object) -> str:
    labels = node["metadata"].get("labels") or {}
    roles = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)} - {""}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    return joined(sorted(roles))


def _node_address(node: Object, kind: str) -> str:
    for address in (node.get("status") or {}).get("addresses") or ():
        if address.get("type") == kind:
            return address.get("address", "")
    return NONE


def _node_info(node: Object, field: str) -> str:
    return ((node.get("status") or {}).get("nodeInfo") or {}).get(field) or UNKNOWN


NODE = (
    NAME,
    Column("Status", "string", lambda obj, _: _node_status(obj), description="Whether it takes pods."),
    Column("Roles", "string", lambda obj, _: _roles(obj), description="What it is for."),
    AGE,
    Column(
        "Version",
        "string",
        lambda obj, _: ((obj.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion", ""),
        description="Version of its agent.",
    ),
    Column(
        "Internal-IP",
        "string",
        lambda obj, _: _node_address(obj, "InternalIP"),
        1,
        description="Its address.",
    ),
    Column(
        "External-IP",
        "string",
        lambda obj, _: _node_address(obj, "ExternalIP"),
        1,
        description="Its address as seen from outside.",
    ),
    Column(
        "OS-Image", "string", lambda obj, _: _node_info(obj, "osImage"), 1, description="Operating system."
    ),
    Column(
        "Kernel-Version", "string", lambda obj, _: _node_info(obj, "kernelVersion"), 1, description="Kernel."
    ),
    Column(
        "Container-Runtime",
        "string",
        lambda obj, _: _node_info(obj, "containerRuntimeVersion"),
        1,
        description="What runs its containers.",
    ),
)

NAMESPACE = (
    NAME,
    Column(
        "Status",
        "string",
        lambda obj, _: (obj.get("status") or {}).get("phase", ""),
        description="Active, or Terminating.",
    ),
    AGE,
)

CONFIG_MAP = (
    NAME,
    Column(
        "Data",
        "string",
        lambda obj, _: len(obj.get("data") or ()) + len(obj.get("binaryData") or ()),
        description="How many keys it has.",
    ),
    AGE,
)

SECRET = (
    NAME,
    Column("Type", "string", lambda obj, _: obj.get("type", ""), description="What it is for."),
    Column("Data", "string", lambda obj, _: len(obj.get("data") or ()), description="How many keys it has."),
    AGE,
)

SERVICE_ACCOUNT = (
    NAME,
    Column(
        "Secrets",
        "string",
        lambda obj, _: len(obj.get("secrets") or ()),
        description="How many secrets it names.",
    ),
    AGE,
)

LEASE = (
    NAME,
    Column(
        "Holder",
        "string",
        lambda obj, _: (obj.get("spec") or {}).get("holderIdentity", ""),
        description="Who holds it.",
    ),
    AGE,
)


def _first(event: Object) -> str | None:
    return event.get("firstTimestamp") or event.get("eventTime")


def _last(event: Object) -> str | None:
    series = event.get("series")
    if series:
        return series.get("lastObservedTime")
    if not event.get("count"):
        return _first(event)
    return event.get("lastTimestamp") or event.get("eventTime")


def _count(event: Object) -> int:
    return (event.get("series") or {}).get("count") or event.get("count") or 1


def _object(event: Object) -> str:
    about = event.get("involvedObject") or {}
    name = about.get("name", "")
    return f"{about['kind'].lower()}/{name}" if about.get("kind") else name


def _source(event: Object) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    host = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


EVENT = (
    Column(
        "Last Seen", "string", lambda obj, now: since(_last(obj), now), description="When it happened last."
    ),
    Column("Type", "string", lambda obj, _: obj.get("type", ""), description="Normal or Warning."),
    Column(
        "Reason", "string", lambda obj, _: obj.get("reason", ""), description="What happened, in one word."
    ),
    Column("Object", "string", lambda obj, _: _object(obj), description="What it happened to."),
    Column(
        "Subobject",
        "string",
        lambda obj, _: (obj.get("involvedObject") or {}).get("fieldPath", ""),
        1,
        description="The part it happened to.",
    ),
    Column("Source", "string", lambda obj, _: _source(obj), 1, description="Who saw it."),
    Column("Message", "string", lambda obj, _: obj.get("message", "").strip(), description="What happened."),
    Column("First Seen", "string", lambda obj, now: since(_first(obj), now), 1, description="When it began."),
    Column("Count", "string", lambda obj, _: str(_count(obj)), 1, description="How often it happened."),
    Column("Name", "string", NAME.value, 1, format="name", description="Name of the event."),
)


def _of_core_event(column: Column) -> Column:
    return replace(column, value=lambda obj, now: column.value(conversion_event.to_core(obj), now))


# The same of Events of events.k8s.io.
NEW_EVENT = tuple(_of_core_event(column) for column in EVENT)


def _health(status: Object) -> tuple[str, str, str]:
    """Whether a part is healthy, and what it says of that, and what is wrong."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Healthy":
            word = {"True": "Healthy", "False": "Unhealthy"}.get(condition.get("status", ""), "Unknown")
            return word, condition.get("message", ""), condition.get("error", "")
    return "Unknown", "", ""


COMPONENT_STATUS = (
    NAME,
    Column("Status", "string", lambda obj, _: _health(obj)[0], description="Whether it is healthy."),
    Column("Message", "string", lambda obj, _: _health(obj)[1], description="What it says."),
    Column("Error", "string", lambda obj, _: _health(obj)[2], description="What is wrong."),
)
