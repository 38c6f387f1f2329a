"""Regular expressions that users give: those of Go, run in time that grows with the text only (RE2)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """The expression, with the methods of Python's.

    Raises:
        ValueError: it is none; says why.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as exc:
        said = exc.args[0] if exc.args else ""
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
