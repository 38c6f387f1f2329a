"""Sets of completion indexes in the form in which a Job's status writes them: `1,3-5,7`.

Three and more in a row are written as first and last
(https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_INTERVAL = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", re.ASCII)
# A status that nobody but the controller should write is still read with care.
_MOST = 1_000_000


def written(indexes: Iterable[int]) -> str:
    """The indexes, ascending, as text."""
    parts: list[str] = []
    run: list[int] = []
    for index in sorted(indexes):
        if run and index != run[-1] + 1:
            parts += _run(run)
            run = []
        run.append(index)
    return ",".join(parts + _run(run))


def _run(run: list[int]) -> list[str]:
    return [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(index) for index in run]


@lru_cache(maxsize=256)
def read(text: str, below: int) -> frozenset[int]:
    """The indexes less than `below` that `text` writes; what makes no sense in it is left out."""
    found: set[int] = set()
    for part in text.split(","):
        match = _INTERVAL.fullmatch(part)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            found.update(range(first, min(last + 1, below, _MOST)))
    return frozenset(found)


def checked(text: str, completions: int) -> int:
    """How many indexes `text` writes, all of which are to be less than `completions`.

    Raises:
        ValueError: it is not well-formed; in Kubernetes's words.
    """
    total = 0
    last: int | None = None
    for part in text.split(",") if text else ():
        limits = part.split("-")
        if len(limits) > 2:
            raise ValueError(
                f'the fragment "{part}" violates the requirement that an index interval can have at most two '
                'parts separated by "-"'
            )
        first, end = _limit(limits[0], completions), _limit(limits[-1], completions)
        if len(limits) == 2 and first >= end:
            raise ValueError(f"non-increasing order, previous: {first}, current: {end}")
        if last is not None and last >= first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total += end - first + 1
        last = end
    return total


def _limit(text: str, completions: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise ValueError(f'too large index: "{text}"')
    return int(text)
