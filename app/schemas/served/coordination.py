"""API group coordination.k8s.io."""

from __future__ import annotations

from app.schemas.columns import cluster as columns_cluster
from app.schemas.kind import Kind
from app.schemas.types import coordination

KINDS: tuple[Kind, ...] = (
    Kind(
        "coordination.k8s.io", "v1", "Lease", "leases", "lease", True, coordination.Lease,
        columns=columns_cluster.LEASE,
    ),
)  # fmt: skip
