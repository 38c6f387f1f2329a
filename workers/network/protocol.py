"""The port through which an agent makes services reachable on its machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.base.errors import BeanpoleError
from workers.network.rules import Rules


class DataPlaneError(BeanpoleError):
    """The machine refused the rules. The message says what failed."""


class DataPlane(Protocol):
    """Carries connections made to services' addresses to their endpoints.

    Attributes:
        name: how the node tells it: `userspace`, `nftables`, `none` or `unavailable`.
        revision: the newest revision in force; -1 before the first. What the agent reports as
            applied: from then on no new connection goes to an endpoint that those rules leave out.
    """

    name: str
    revision: int

    def apply(self, rules: Rules) -> None:
        """Put `rules` in force; when this returns, they are. Unchanged rules cost nothing.
        Established connections are left alone, whatever becomes of their endpoint.

        Raises:
            DataPlaneError: they could not be put in force; what was there before still is.
        """
        ...

    def problems(self) -> Mapping[str, str]:
        """What could not be done, by service (`namespace/name`, or empty for all of them): one
        sentence each that says what to do. Empty when all is well."""
        ...

    def close(self) -> None:
        """Let go: accepted connections get a moment to end, none that was accepted is dropped before."""
        ...
