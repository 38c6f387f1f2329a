"""Measurements of authorization and of the audit log."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from app.api.gate import Gate


class AccessMetrics(Collector):
    """Reads its numbers when it is asked for them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on nothing that could be asked beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now."""
        access = self._gate.access
        decisions = CounterMetricFamily(
            "apiserver_authorization_decisions", "Requests that were allowed, or not", labels=["decision"]
        )
        decisions.add_metric(["allowed"], access.allowed)
        decisions.add_metric(["denied"], access.refused)
        yield decisions
        if self._gate.recorder is None:
            return
        log = self._gate.recorder.log
        yield CounterMetricFamily(
            "apiserver_audit_event", "Entries written to the audit log", value=log.written
        )
        yield CounterMetricFamily(
            "beanpole_audit_dropped", "Entries of the audit log that were lost", value=log.dropped
        )
