"""What a pod's annotations tell the simulation to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.objects.quantity import millis
from workers.runtime.protocol import ContainerError

PREFIX = "simulated.beanpole.dev/"


@dataclass(frozen=True, slots=True)
class Told:
    """What a pod's annotations say about one container."""

    annotations: Mapping[str, str]
    container: str

    def text(self, what: str) -> str:
        if not self.annotations:
            return ""
        own = self.annotations.get(f"{PREFIX}{self.container}.{what}")
        return own if own is not None else self.annotations.get(PREFIX + what, "")

    def number(self, what: str, default: float) -> float:
        text = self.text(what)
        try:
            return float(text) if text else default
        except ValueError as exc:
            raise ContainerError(
                "CreateContainerError", f"annotation {PREFIX}{what}: {text!r} is not a number"
            ) from exc

    def quantity(self, what: str) -> int | None:
        """A quantity in thousandths; None if nothing is said."""
        text = self.text(what)
        try:
            return millis(text) if text else None
        except ValueError as exc:
            raise ContainerError("CreateContainerError", f"annotation {PREFIX}{what}: {exc}") from exc

    def flag(self, what: str) -> bool:
        return self.text(what) == "true"
