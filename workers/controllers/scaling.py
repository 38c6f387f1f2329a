"""Scaling a Deployment outside a rollout's own steps: while one is under way, or paused.

Pods are added or taken in proportion to the sizes of the ReplicaSets, so that scaling neither hastens
a rollout nor undoes it (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workers.controllers.rolling import Group, Limits


def sizes(
    limit: Limits, new: Group | None, old: Sequence[Group], largest_before: Mapping[str, int]
) -> dict[str, int]:
    """The size each ReplicaSet should have now, by name, where it differs.

    Args:
        old: oldest first. largest_before: by name, what a ReplicaSet remembers of the most pods its
            Deployment could have had when it was last scaled (annotation max-replicas).
    """
    everyone = [*old, *([new] if new else [])]
    active = [group for group in everyone if group.wanted > 0]
    if len(active) <= 1:
        one = active[0] if active else (new or (old[-1] if old else None))
        return {} if one is None or one.wanted == limit.replicas else {one.name: limit.replicas}
    if new is not None and new.wanted == limit.replicas and new.available == limit.replicas:
        return {group.name: 0 for group in old if group.wanted > 0}
    total = sum(group.wanted for group in active)
    change = (limit.most if limit.replicas > 0 else 0) - total
    if change == 0:
        return {}
    # The largest first; among equals the newer grows first and the older shrinks first.
    order = sorted(active if change < 0 else reversed(active), key=lambda group: -group.wanted)
    result: dict[str, int] = {}
    done = 0
    for group in order:
        share = _share(group, limit, largest_before.get(group.name, total), change, done)
        result[group.name] = group.wanted + share
        done += share
    first = order[0].name
    result[first] = max(0, result[first] + change - done)
    return {group.name: result[group.name] for group in order if result[group.name] != group.wanted}


def _share(group: Group, limit: Limits, before: int, change: int, done: int) -> int:
    if limit.replicas == 0:
        share = -group.wanted
    else:
        # Rounded half away from zero, as Kubernetes does.
        share = int(group.wanted * limit.most / (before or limit.most) + 0.5) - group.wanted
    return min(share, change - done) if change > 0 else max(share, change - done)
