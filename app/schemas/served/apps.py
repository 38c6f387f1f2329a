"""API group apps."""

from __future__ import annotations

from app.schemas import apps, columns_workload
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "apps", "v1", "Deployment", "deployments", "deployment", True, apps.Deployment,
        short_names=("deploy",), categories=("all",), subresources=frozenset({"status", "scale"}),
        columns=columns_workload.DEPLOYMENT,
    ),
    Kind(
        "apps", "v1", "ReplicaSet", "replicasets", "replicaset", True, apps.ReplicaSet,
        short_names=("rs",), categories=("all",), subresources=frozenset({"status", "scale"}),
        columns=columns_workload.REPLICA_SET,
    ),
)  # fmt: skip
