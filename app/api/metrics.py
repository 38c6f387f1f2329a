"""Measurements of the API itself, for Prometheus, under the names that kube-apiserver uses."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# Label sets kept at hand; more than the kinds and verbs there are.
_MAX_CHILDREN = 4096


class Metrics:
    """Counts requests. One per application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "apiserver_request", "Requests answered", ("verb", "resource", "code"), registry=self.registry
        )
        self._seconds = Histogram(
            "apiserver_request_duration_seconds", "Time to the answer, streams apart", ("verb",),
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.watchers = Gauge("apiserver_longrunning_requests", "Open watches", registry=self.registry)
        self.revision = Gauge("beanpole_view_revision", "Revision of the API's view", registry=self.registry)
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def count(self, verb: str, resource: str, code: int, seconds: float | None) -> None:
        """One request was answered; `seconds` is None for a stream."""
        key = (verb, resource, code)
        counter = self._counters.get(key)
        if counter is None:
            if len(self._counters) > _MAX_CHILDREN:
                return
            counter = self._counters[key] = self._requests.labels(verb, resource, str(code))
        counter.inc()
        if seconds is not None:
            histogram = self._histograms.get(verb)
            if histogram is None:
                histogram = self._histograms[verb] = self._seconds.labels(verb)
            histogram.observe(seconds)

    def page(self) -> bytes:
        """Everything, in the text form that Prometheus scrapes."""
        return generate_latest(self.registry)
