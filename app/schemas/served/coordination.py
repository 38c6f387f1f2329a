"""API group coordination.k8s.io."""

from __future__ import annotations

from app.schemas import columns_cluster, coordination
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "coordination.k8s.io", "v1", "Lease", "leases", "lease", True, coordination.Lease,
        columns=columns_cluster.LEASE,
    ),
)  # fmt: skip
