"""What pods use of cpu and memory, as their nodes measured it: the seam between who measures and who scales.

Measurements are PodMetrics objects (metrics.k8s.io/v1beta1), which the plans of a role see that `measures`. Where
nobody reports any, there are none, and an autoscaler says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.base.clock import parse_rfc3339
from app.objects.change import Object, ReadView, key_of
from app.objects.quantity import millis
from app.objects.usage import PODS

# Over so many seconds cpu is measured if a report does not say.
WINDOW = 30.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What a pod, or one container of it, uses of one resource.

    Attributes:
        amount: in thousandths: of a cpu, or of a byte. at: when it was measured, in seconds since the epoch.
        window: over how many seconds.
    """

    amount: int
    at: float
    window: float


def measured(
    view: ReadView, pods: Iterable[Object], resource: str, container: str = ""
) -> dict[str, Measured]:
    """What the pods, which are of one namespace, use of a resource, by name; of the one container, if one is named. A
    pod of which not all is known is left out."""
    found = {}
    for pod in pods:
        report = view.get(PODS, key_of(pod))
        amount = _amount(report, resource, container) if report is not None else None
        if report is not None and amount is not None:
            at = parse_rfc3339(report["timestamp"])
            found[report["metadata"]["name"]] = Measured(amount, at, _seconds(report.get("window")))
    return found


def _amount(report: Object, resource: str, container: str) -> int | None:
    total = 0
    known = False
    for part in report.get("containers") or ():
        if container and part.get("name") != container:
            continue
        quantity = (part.get("usage") or {}).get(resource)
        if quantity is None:
            return None
        total += millis(quantity)
        known = True
    return total if known else None


def _seconds(text: str | None) -> float:
    """A duration as metrics.k8s.io writes it: `15s`, `1m0s`."""
    if not text:
        return WINDOW
    minutes, _, rest = text.rpartition("m")
    try:
        return float(minutes or 0) * 60 + float(rest.removesuffix("s") or 0)
    except ValueError:
        return WINDOW
