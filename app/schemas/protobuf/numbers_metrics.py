"""What nodes and pods use (k8s.io/metrics). It is only ever read, and in JSON: bodies of these kinds come from nobody."""

from __future__ import annotations

TABLES = {
    "io.k8s.metrics.pkg.apis.metrics.v1beta1": """
ContainerMetrics: name=1 usage=2
NodeMetrics: metadata=1 timestamp=2 window=3 usage=4
PodMetrics: metadata=1 timestamp=2 window=3 containers=4
""",
}
