"""The Recreate strategy: every old pod is gone before a new one is made.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment
"""

from __future__ import annotations

from collections.abc import Sequence

from app.objects import pods
from app.objects.change import Object, ReadView
from workers.controllers.rolling import Group, Limits


def step(limit: Limits, new: Group, old: Sequence[Group], *, old_pods_left: bool) -> dict[str, int]:
    """The sizes to set now, by name: old sets go to 0; the new one grows once no old pod is left."""
    sizes = {group.name: 0 for group in old if group.wanted}
    if not sizes and not old_pods_left and new.wanted != limit.replicas:
        sizes[new.name] = limit.replicas
    return sizes


def pods_left(view: ReadView, old: Sequence[Object]) -> bool:
    """Whether any pod of the old ReplicaSets may still run; one that is terminating may."""
    return any(not pods.is_terminal(pod) for rs in old for pod in view.owned("pods", rs["metadata"]["uid"]))
