"""Field numbers of the types: read from the tables, one module for each part of the API.

The numbers are those of the `generated.proto` files that Kubernetes publishes beside its types
(https://github.com/kubernetes/api, https://github.com/kubernetes/apimachinery). A line of a table is

    ConfigMap: metadata=1 data=2 binaryData=3 immutable=4

with names as in JSON. `+ProbeHandler=1` is a message of its own, whose fields stand beside the others in JSON. A
line that is indented goes on with the one before. `apiVersion` and `kind` of an object have no number: the
envelope around it says them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from app.schemas.protobuf import (
    numbers_access,
    numbers_admission,
    numbers_apiextensions,
    numbers_batch,
    numbers_container,
    numbers_core,
    numbers_groups,
    numbers_identity,
    numbers_meta,
    numbers_metrics,
    numbers_networking,
    numbers_pod,
    numbers_sets,
    numbers_storage,
    numbers_volume,
)

_MODULES = (
    numbers_access,
    numbers_meta,
    numbers_core,
    numbers_container,
    numbers_pod,
    numbers_volume,
    numbers_groups,
    numbers_identity,
    numbers_sets,
    numbers_storage,
    numbers_networking,
    numbers_admission,
    numbers_apiextensions,
    numbers_batch,
    numbers_metrics,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a message. `inline`: its own fields stand in JSON where it stands itself."""

    name: str
    number: int
    inline: bool = False


@cache
def tables() -> dict[str, tuple[Entry, ...]]:
    """The fields of each type, by the name that OpenAPI gives the type (`io.k8s.api.core.v1.Pod`).

    Raises:
        ValueError: a table is not well-formed, or has a type twice.
    """
    found: dict[str, tuple[Entry, ...]] = {}
    for module in _MODULES:
        for package, text in module.TABLES.items():
            for line in text.replace("\n    ", " ").split("\n"):
                if not line:
                    continue
                name, _, entries = line.partition(":")
                full = f"{package}.{name}"
                if full in found:
                    raise ValueError(f"{full} stands twice in the tables of field numbers")
                found[full] = tuple(_entry(text) for text in entries.split())
    return found


def _entry(text: str) -> Entry:
    name, _, number = text.partition("=")
    return Entry(name.removeprefix("+"), int(number), name.startswith("+"))
