"""The view that some plans see besides: what pods use, as PodMetrics. It is not in the log, and loaded before they plan.

A plan stays a function of what it sees: this is one more thing to see, the same for all plans of a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from app.objects.change import Keys, Object, Objects, ReadView
from app.objects.usage import PODS, Usage

# What is known of these nodes. Raises StoreUnavailable.
Measure = Callable[[Iterable[str]], Usage]


class MeasuredView:
    """A view with the PodMetrics of its pods in it, of `usage`; everything else is as in `view`."""

    def __init__(self, view: ReadView, usage: Usage) -> None:
        self._view, self._usage = view, usage

    @property
    def revision(self) -> int:
        return self._view.revision

    def get(self, resource: str, key: str) -> Object | None:
        if resource != PODS:
            return self._view.get(resource, key)
        pod = self._view.get("pods", key)
        return self._usage.of_pod(pod) if pod is not None else None

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        if resource != PODS:
            return self._view.list(resource, namespace)
        found = (self._usage.of_pod(pod) for pod in self._view.list("pods", namespace))
        return [each for each in found if each is not None]

    def keys(self, resource: str, namespace: str | None = None) -> Keys:
        if resource != PODS:
            return self._view.keys(resource, namespace)
        return [key for key in self._view.keys("pods", namespace) if self.get(PODS, key) is not None]

    def owned(self, resource: str, uid: str) -> Objects:
        return self._view.owned(resource, uid)

    def dependents(self, uid: str) -> Sequence[tuple[str, str]]:
        return self._view.dependents(uid)

    def on_node(self, node: str) -> Objects:
        return self._view.on_node(node)

    def any_on(self, node: str) -> bool:
        return self._view.any_on(node)

    def resources(self) -> Keys:
        return self._view.resources()


def measured(view: ReadView, measure: Measure | None) -> ReadView:
    """The view with what is measured of all its nodes now, if there is who measures. Raises StoreUnavailable."""
    return view if measure is None else MeasuredView(view, measure(view.keys("nodes")))
