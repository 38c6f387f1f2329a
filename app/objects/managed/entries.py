"""The entries of `metadata.managedFields`: one for each manager, way of writing, version and subresource.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from app.objects.change import Object
from app.objects.managed.elements import decode_root
from app.objects.managed.sets import Tree, union

Operation = Literal["Apply", "Update"]
Entries = list[Object]
# How many managers that update may each have an entry (DefaultMaxUpdateManagers in k8s.io/apimachinery).
MOST_UPDATERS = 10
ANCIENT = "ancient-changes"


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes, and how.

    Attributes:
        name: as the client calls itself. subresource: what it writes through, or "".
        version: the API version that its field set speaks of.
    """

    name: str
    operation: Operation
    version: str
    subresource: str = ""

    def owns(self, entry: Object) -> bool:
        """Whether an entry is this manager's. Those who apply have one entry, whatever version they speak."""
        return (
            entry.get("manager", "") == self.name
            and entry.get("operation") == self.operation
            and entry.get("subresource", "") == self.subresource
            and (self.operation == "Apply" or entry.get("apiVersion") == self.version)
        )

    def entry(self, fields: Tree, time: str) -> Object:
        """Its entry, as Kubernetes writes them."""
        made: Object = {"manager": self.name, "operation": self.operation, "apiVersion": self.version}
        if time:
            made["time"] = time
        made["fieldsType"] = "FieldsV1"
        made["fieldsV1"] = fields
        if self.subresource:
            made["subresource"] = self.subresource
        return made


def decode(sent: Any) -> Entries:
    """Entries as a client sent them, in our spelling; those of one manager are made one.

    Raises:
        ValueError: they are not what they should be.
    """
    if not isinstance(sent, list):
        raise ValueError("managedFields must be a list")
    found: dict[tuple[Any, ...], Object] = {}
    for entry in sent:
        if not isinstance(entry, dict) or entry.get("operation") not in ("Apply", "Update"):
            raise ValueError("operation must be `Apply` or `Update`")
        if entry.get("fieldsType") != "FieldsV1" or not entry.get("apiVersion"):
            raise ValueError("fieldsType must be `FieldsV1`, and apiVersion must not be empty")
        fields = decode_root(entry.get("fieldsV1") or {})
        who = Manager(
            str(entry.get("manager") or ""),
            entry["operation"],
            str(entry["apiVersion"]),
            str(entry.get("subresource") or ""),
        )
        key = (who.name, who.operation, who.version if who.operation == "Update" else "", who.subresource)
        known = found.get(key)
        if known is not None:
            fields = union(known["fieldsV1"], fields)
        found[key] = who.entry(fields, str(entry.get("time") or ""))
    return ordered(entry for entry in found.values() if entry["fieldsV1"])


def is_reset(sent: Any) -> bool:
    """Whether a client asks to forget all managers: an empty list, or one with an empty entry."""
    return sent is not None and (sent == [] or sent == [{}])


def ordered(entries: Iterable[Object]) -> Entries:
    """The entries in the order in which Kubernetes shows them: who applies first, then by time."""
    return sorted(entries, key=_place)


def _place(entry: Object) -> tuple[str, ...]:
    return (
        entry["operation"], entry.get("time") or "", entry.get("manager") or "", entry["apiVersion"],
        entry.get("subresource") or "",
    )  # fmt: skip


def capped(entries: Entries) -> Entries:
    """At most `MOST_UPDATERS` managers that update: the oldest, of one version each, become one, `ANCIENT`."""
    updaters = [entry for entry in entries if entry["operation"] == "Update"]
    excess = len(updaters) - MOST_UPDATERS
    if excess <= 0:
        return entries
    kept = [entry for entry in entries if entry["operation"] != "Update"]
    buckets: dict[str, Object] = {}
    alone: dict[str, Object] = {}
    for entry in updaters:
        version = entry["apiVersion"]
        if excess > 0 and (version in buckets or version in alone):
            older = buckets.get(version) or alone.pop(version)
            bucket = Manager(ANCIENT, "Update", version)
            fields = union(older["fieldsV1"], entry["fieldsV1"])
            buckets[version] = bucket.entry(fields, entry.get("time") or "")
            excess -= 1
        elif excess > 0:
            alone[version] = entry
        else:
            kept.append(entry)
    return ordered([*kept, *alone.values(), *buckets.values()])
