"""Measurements of connections into pods."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.api.sessions.sessions import Sessions


class SessionMetrics(Collector):
    """Reads its numbers when it is asked for them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on nothing that could be asked beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now."""
        yield GaugeMetricFamily(
            "beanpole_sessions", "Connections into pods that are open", value=self._sessions.count
        )
        opened = CounterMetricFamily(
            "beanpole_sessions_opened", "Connections into pods that were made", labels=["kind"]
        )
        for kind, count in sorted(self._sessions.opened.items()):
            opened.add_metric([kind], count)
        yield opened
