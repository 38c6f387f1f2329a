"""What an apply would take from other managers, in Kubernetes's words
(k8s.io/apimachinery pkg/util/managedfields/internal/conflict.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app.objects.change import Object
from app.objects.managed.elements import shown
from app.objects.managed.sets import Path


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another manager owns and that the configuration gives another value.

    Attributes:
        entry: the other manager's entry of `managedFields`. at: the path in its set.
    """

    entry: Object
    at: Path

    @property
    def path(self) -> str:
        """As messages show it: `.spec.replicas`."""
        return shown(self.at)

    @property
    def manager(self) -> str:
        """`"kubectl-client-side-apply" using apps/v1 at 2027-01-15T08:00:00Z`."""
        entry = self.entry
        text = orjson.dumps(entry.get("manager") or "").decode()
        if entry.get("subresource"):
            text += f' with subresource "{entry["subresource"]}"'
        if entry.get("operation") != "Update":
            return text
        return f"{text} using {entry.get('apiVersion', '')}"

    @property
    def message(self) -> str:
        return f"conflict with {self.manager}"


class Conflicts(Exception):
    """An apply that is not forced would change what others own."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        self.conflicts = sorted(conflicts, key=lambda conflict: conflict.manager)
        super().__init__(_message(self.conflicts))


def _message(conflicts: Sequence[Conflict]) -> str:
    if len(conflicts) == 1:
        return f"Apply failed with 1 conflict: {conflicts[0].message}: {conflicts[0].path}"
    lines: list[str] = []
    for manager in dict.fromkeys(conflict.manager for conflict in conflicts):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {conflict.path}" for conflict in conflicts if conflict.manager == manager]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
