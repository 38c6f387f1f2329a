"""Which nodes have pods that draw on an object: their agents are to hear when it changes."""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Change, Object, Operation, ReadView
from app.objects.references import references

DRAWN_ON = frozenset(("configmaps", "secrets"))
# What of such an object ends in containers.
_CONTENT = ("data", "binaryData")
Pair = tuple[str, str]


class DrawnOn:
    """Remembers what each pod draws on, so that changes of a namespace cost one look for each of its pods, however
    many they are.

    Of a pod's spec only its ephemeral containers can change what it draws on.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], frozenset[Pair]] = {}

    def nodes(self, changes: Iterable[Change], view: ReadView) -> dict[str, None]:
        """The nodes to which changes of such objects are news."""
        wanted: dict[str, set[Pair]] = {}
        for change in changes:
            if _is_news(change):
                namespace = change.new["metadata"].get("namespace", "")
                wanted.setdefault(namespace, set()).add((change.resource, change.key))
        found: dict[str, None] = {}
        for namespace, pairs in wanted.items():
            pods = view.list("pods", namespace)
            if len(self._known) > 2 * len(pods) + 10_000:
                self._known.clear()
            for pod in pods:
                node = pod["spec"].get("nodeName")
                if node and node not in found and not pairs.isdisjoint(self._of(pod)):
                    found[node] = None
        return found

    def _of(self, pod: Object) -> frozenset[Pair]:
        key = (pod["metadata"]["uid"], len(pod["spec"].get("ephemeralContainers") or ()))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = frozenset(references(pod))
        return known


def _is_news(change: Change) -> bool:
    """Whoever elects a leader by annotations of a ConfigMap changes nothing that a pod sees."""
    old, new = change.old, change.new
    if old is None or change.operation is not Operation.MODIFIED:
        return True
    return any(old.get(field) != new.get(field) for field in _CONTENT)
