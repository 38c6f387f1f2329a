"""What whoever runs an agent says of its node: labels, and the taints that it registers with. Pure."""

from __future__ import annotations

from app.base.errors import UserError
from app.base.settings import Settings
from app.objects.change import Object
from workers.agent.node import allocatable
from workers.agent.node.report import Registered
from workers.agent.pressure import thresholds

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def registered(settings: Settings) -> Registered:
    """What the settings say of the node. Raises UserError: one of them can't be read."""
    return Registered(
        labels(settings.node_labels),
        tuple(taints(settings.node_taints)),
        allocatable.reserved(settings.reserved),
        thresholds.parse(settings.eviction_hard, settings.eviction_soft),
    )


def labels(text: str) -> dict[str, str]:
    """`key=value,other=value`, as kubelet's --node-labels.

    Raises:
        UserError: it does not read like this.
    """
    found: dict[str, str] = {}
    for part in _parts(text):
        key, equals, value = part.partition("=")
        if not key or not equals:
            raise UserError(f"{part!r} is no label for the node; write it like zone=a")
        found[key] = value
    return found


def taints(text: str) -> list[Object]:
    """`key=value:NoSchedule,other:NoExecute`, as kubelet's --register-with-taints.

    Raises:
        UserError: it does not read like this.
    """
    found: list[Object] = []
    for part in _parts(text):
        rest, _, effect = part.rpartition(":")
        key, _, value = rest.partition("=")
        if not key or effect not in EFFECTS:
            raise UserError(
                f"{part!r} is no taint for the node; write it like dedicated=batch:NoSchedule ({', '.join(EFFECTS)})"
            )
        found.append({"key": key, **({"value": value} if value else {}), "effect": effect})
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
