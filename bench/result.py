"""What was measured, and the table and file it is shown in."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: the median of its runs.

    Attributes:
        name: what was measured; the key into `bench.reference`.
        unit: of the values. higher_is_better: which way is good.
        note: what a reader needs to know to judge the figure.
    """

    name: str
    unit: str
    runs: tuple[float, ...]
    higher_is_better: bool = False
    note: str = ""
    value: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", statistics.median(self.runs))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of all values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(results: Sequence[Result], reference: dict[str, float]) -> str:
    """Name, median, the reference and how many times better than it (below 1: worse)."""
    rows = [("measurement", "median", "runs", "Kubernetes", "better", "note")]
    for r in results:
        known = reference.get(r.name)
        ratio = ""
        if known is not None:
            good, bad = (r.value, known) if r.higher_is_better else (known, r.value)
            ratio = f"{good / bad:.2f}x" if bad else ("=" if not good else "∞")
        runs = " ".join(_short(v) for v in r.runs) if len(r.runs) > 1 else ""
        rows.append(
            (
                r.name,
                f"{_short(r.value)} {r.unit}",
                runs,
                "" if known is None else _short(known),
                ratio,
                r.note,
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def write(path: Path, when: str, results: Sequence[Result], reference: dict[str, float]) -> None:
    """All of it as JSON, with the machine it was measured on."""
    machine = {"kernel": platform.release(), "python": platform.python_version(), "cpus": _cpus()}
    measured = [{**asdict(r), "kubernetes": reference.get(r.name)} for r in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"at": when, "machine": machine, "results": measured}, indent=1) + "\n")


def _cpus() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _short(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.2f}"
