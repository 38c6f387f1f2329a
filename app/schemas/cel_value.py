"""What a function that CEL calls is declared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Overload:
    """One form of a function. Types are named as for `cel.compile_expression`; a member is called as `a.f(b)`.
    `work` raises ValueError for what it can't do."""

    parameters: tuple[str, ...]
    result: str
    work: Callable[..., Any]
    member: bool = False
