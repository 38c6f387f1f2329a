"""Compiling parts of a schema when they are first needed: of a large one, most objects use little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def later(make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """The function that `make` makes, made at its first call."""
    made: Callable[..., Any] | None = None

    def call(*arguments: Any) -> Any:
        nonlocal made
        if made is None:
            made = make()
        return made(*arguments)

    return call
