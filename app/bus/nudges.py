"""Nudges: which nodes' agents a change concerns, and telling them that there is something to fetch.

A nudge names the nodes that something changed for, no more, and a lost one costs an agent one interval between
two exchanges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.bus.drawn import DRAWN_ON, DrawnOn
from app.objects.change import Change, Object, Operation, ReadView
from app.objects.persistent import VOLUMES, holder_of, is_to_be_emptied

# Where one agent speaks for several nodes, each of them names the agent's queue here.
QUEUE_ANNOTATION = "beanpole.dev/queue"
# What stands there if the agent listens to no queue, but to the API.
NO_QUEUE = "-"
# What every node's service rules are made of.
_RULES = frozenset(("services", "endpointslices.discovery.k8s.io"))


class NudgeFlags(Protocol):
    """Remembers which nodes have a nudge under way."""

    def set_nudges(self, nodes: Iterable[str]) -> list[str]:
        """Those to which none was under way, so that one is worth sending."""
        ...


class NudgeSender(Protocol):
    """Sends nudges."""

    def nudge(self, queues: Mapping[str, Sequence[str]]) -> None:
        """Tell the agent behind each queue that something changed for these of its nodes."""
        ...


class Nudger:
    """Tells agents, at most once until they come."""

    def __init__(self, flags: NudgeFlags, sender: NudgeSender) -> None:
        self._flags = flags
        self._sender = sender

    def tell(self, nodes: Mapping[str, str]) -> list[str]:
        """Nudge the agents of `nodes` (name -> queue); returns those nodes to which a nudge was worth sending."""
        worth = self._flags.set_nudges(nodes) if nodes else []
        queues: dict[str, list[str]] = {}
        for node in worth:
            queues.setdefault(nodes[node], []).append(node)
        if queues:
            self._sender.nudge(queues)
        return worth


def nodes_concerned(
    changes: Iterable[Change], view: ReadView, drawn: DrawnOn | None = None
) -> dict[str, str]:
    """The nodes whose agents have something to fetch because of `changes`, with their queues. Only nodes that
    are Ready: nobody reads the queue of a dead one. `drawn`: what is remembered between calls."""
    drawn = drawn or DrawnOn()
    nodes: dict[str, None] = {}
    contents: list[Change] = []
    everywhere = False
    for change in changes:
        if change.resource == "pods":
            nodes.update(dict.fromkeys(_nodes_of_pod(change)))
        elif change.resource in _RULES:
            everywhere = True
        elif change.resource in DRAWN_ON:
            contents.append(change)
        elif change.resource == VOLUMES:
            nodes.update(dict.fromkeys(_nodes_of_volume(change)))
    if contents and not everywhere:
        nodes.update(drawn.nodes(contents, view))
    found = (
        view.list("nodes") if everywhere else [n for n in (view.get("nodes", name) for name in nodes) if n]
    )
    return {
        str(node["metadata"]["name"]): queue_of(node)
        for node in found
        if is_ready(node) and queue_of(node) != NO_QUEUE
    }


def _nodes_of_volume(change: Change) -> list[str]:
    """The node that is to remove the volume's data."""
    holder = holder_of(change.new)
    return [holder] if holder and is_to_be_emptied(change.new, holder) else []


def queue_of(node: Object) -> str:
    """The queue that the node's agent reads, without the `node.` before it."""
    named = (node["metadata"].get("annotations") or {}).get(QUEUE_ANNOTATION)
    return str(named or node["metadata"]["name"])


def is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _nodes_of_pod(change: Change) -> list[str]:
    """The nodes that act on a change of a pod. A new status is the agent's own word, and nothing to tell it."""
    new, old = change.new, change.old
    node = new["spec"].get("nodeName") or ""
    before = (old["spec"].get("nodeName") or "") if old is not None else ""
    if (
        change.operation is Operation.MODIFIED
        and old is not None
        and node == before
        and _same_orders(old, new)
    ):
        return []
    return [name for name in dict.fromkeys((node, before)) if name]


def _same_orders(old: Object, new: Object) -> bool:
    """Whether nothing differs that an agent acts upon."""
    if old["spec"] != new["spec"]:
        return False
    before, after = old["metadata"], new["metadata"]
    return all(
        before.get(field) == after.get(field)
        for field in ("labels", "annotations", "deletionTimestamp", "deletionGracePeriodSeconds")
    )
