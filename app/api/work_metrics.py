"""Measurements of the control workers' work, which is kept in Redis, for whoever scrapes an API server."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.base.ids import Ids
from app.store.store import Store
from app.store.work import WorkLedger


class WorkMetrics(Collector):
    """Read anew at each scrape."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._ledger = WorkLedger(store, ids)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: asking would read Redis while the API starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Raises StoreUnavailable."""
        depth = GaugeMetricFamily("beanpole_work_queue_depth", "Keys that wait for a worker", labels=["role"])
        for role, count in sorted(self._ledger.depth().items()):
            depth.add_metric([role], count)
        yield depth
        runs = CounterMetricFamily(
            "beanpole_work_runs", "Plans run, by how that ended", labels=["role", "outcome"]
        )
        for (role, outcome), count in sorted(self._ledger.counters().items()):
            runs.add_metric([role, outcome], count)
        yield runs
        failing: dict[str, int] = {}
        for role, _ in self._ledger.failures():
            failing[role] = failing.get(role, 0) + 1
        keys = GaugeMetricFamily("beanpole_work_failing_keys", "Keys that keep failing", labels=["role"])
        for role, count in sorted(failing.items()):
            keys.add_metric([role], count)
        yield keys
