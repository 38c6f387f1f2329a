"""What of a machine its pods may have. Pure.

https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/
"""

from __future__ import annotations

from collections.abc import Mapping

from app.base.errors import UserError
from app.objects import quantity
from workers.agent.pressure.thresholds import MEMORY, NODE_DISK, Threshold, kept_back

# Below which threshold a resource is never given out entirely.
_SIGNALS = {"memory": MEMORY, "ephemeral-storage": NODE_DISK}
_RESERVABLE = ("cpu", "memory", "ephemeral-storage", "pods")


def reserved(text: str) -> dict[str, int]:
    """What the setting `cpu=500m,memory=1Gi` keeps for the machine itself, in billionths.

    Raises:
        UserError: it does not read like this.
    """
    found: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, amount = part.partition("=")
        try:
            found[name] = quantity.nanos(amount)
        except ValueError:
            found[name] = -1
        if name not in _RESERVABLE or found[name] < 0:
            raise UserError(
                f"BEANPOLE_RESERVED: {part!r} reserves nothing; write it like cpu=500m,memory=1Gi "
                f"({', '.join(_RESERVABLE)})"
            )
    return found


def allocatable(
    capacity: Mapping[str, str], kept: Mapping[str, int], thresholds: tuple[Threshold, ...]
) -> dict[str, str]:
    """The capacity without what is reserved, and without what hard thresholds would not let pods keep."""
    found = dict(capacity)
    for name, amount in capacity.items():
        back = kept.get(name, 0)
        if name in _SIGNALS:
            whole = quantity.value(amount)
            back += kept_back(thresholds, _SIGNALS[name], whole) * quantity.NANO
        if back:
            left = max(0, quantity.nanos(amount) - back)
            found[name] = _shown(name, left)
    return found


def _shown(name: str, nanos: int) -> str:
    if name == "cpu":
        return quantity.of_millis(nanos // 1_000_000)
    whole = nanos // quantity.NANO
    return str(whole) if name == "pods" else f"{whole >> 10}Ki"
