"""How a pod ends: out of the service rules first, then drained, then SIGTERM, then removed.

Kubernetes sends SIGTERM while other nodes still route new connections to the pod, which is why manifests
there carry preStop sleeps. Here the deletion takes the pod out of its endpoints; SIGTERM waits until every
Ready node has applied service rules without it and its open connections have closed. Both waits are bounded:
a node that has stopped reporting or a client that never hangs up delays the end by a few seconds at most.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.objects.change import Object
from workers.agent.deciding.end import teardown
from workers.agent.deciding.step import Decision, RemovePod
from workers.agent.memory import PodMemory
from workers.agent.pod import grace
from workers.runtime.protocol import PodState, State

# Seconds after the mark by which the rest of the cluster is taken to have applied the removal.
EXCLUDED_WITHIN = 2.0
# Seconds after the mark after which open connections are waited for no longer.
DRAINED_WITHIN = 5.0
POLL = 0.05
# What a pod that no longer exists in the API gets between SIGTERM and SIGKILL.
ORPHAN_GRACE = 1.0


@dataclass(frozen=True, slots=True)
class Drain:
    """Where a pod stands with those who may still send to it.

    Attributes:
        served: it was an endpoint of a service as far as this node knows.
        excluded: this node's rules no longer lead to it, and so do those of all other Ready nodes.
        connections: open ones from outside; None if not looked up (it is, once excluded).
    """

    served: bool = False
    excluded: bool = True
    connections: int | None = 0


def wants_connections(pod: Object, memory: PodMemory, now: float, drain: Drain) -> bool:
    """Whether the decision hangs on the number of open connections, which costs a call to look up."""
    since = memory.deleting_since if memory.deleting_since is not None else now
    if not drain.served or now >= since + min(grace(pod), DRAINED_WITHIN):
        return False
    return drain.excluded or now >= since + EXCLUDED_WITHIN


def stopping(pod: Object, state: PodState | None, memory: PodMemory, now: float, drain: Drain) -> Decision:
    """The next steps of a pod that is marked for deletion."""
    if state is None:
        return Decision(finished=True)
    if not any(c.state is State.RUNNING for c in state.containers):
        if now < memory.removal_retry_at:
            return Decision((), memory.removal_retry_at)
        return Decision((RemovePod(),))
    since = memory.deleting_since if memory.deleting_since is not None else now
    seconds = grace(pod)
    if memory.ending is None and _still_served(since, seconds, now, drain):
        return Decision((), now + POLL)
    # Kubernetes counts the grace period from the deletion; the drain is Beanpole's own and comes before.
    return teardown(pod, state, memory, now, max(seconds, 0.0))


def _still_served(since: float, seconds: float, now: float, drain: Drain) -> bool:
    if not drain.served or now >= since + min(seconds, DRAINED_WITHIN):
        return False
    if not drain.excluded and now < since + EXCLUDED_WITHIN:
        return True
    return bool(drain.connections)
