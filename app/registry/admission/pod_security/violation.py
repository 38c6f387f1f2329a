"""What a check finds, and the ways in which findings are put (k8s.io/pod-security-admission/policy)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.objects.change import Object


@dataclass(frozen=True, slots=True)
class Violation:
    """`reason` is what the standard forbids, `detail` who does it."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


def containers(spec: Object) -> Iterator[Object]:
    """All containers of a pod, init containers first."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def security(of: Object) -> Object:
    """The securityContext of a pod's spec or of a container."""
    return of.get("securityContext") or {}


def named(names: Iterable[str], one: str = "container", many: str = "containers") -> str:
    """`container "a"`, `containers "a", "b"`."""
    listed = list(names)
    return f"{one if len(listed) == 1 else many} {quoted(listed)}"


def must(names: Iterable[str]) -> str:
    return f"{named(names)} must"


def quoted(values: Iterable[Any]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def unique(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"
