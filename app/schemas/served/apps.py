"""API group apps."""

from __future__ import annotations

from app.schemas.columns import sets as columns_sets
from app.schemas.columns import workload as columns_workload
from app.schemas.kind import Kind
from app.schemas.types import apps, apps_daemon, apps_revision, apps_stateful

KINDS: tuple[Kind, ...] = (
    Kind(
        "apps", "v1", "ControllerRevision", "controllerrevisions", "controllerrevision", True,
        apps_revision.ControllerRevision, columns=columns_sets.CONTROLLER_REVISION,
    ),
    Kind(
        "apps", "v1", "DaemonSet", "daemonsets", "daemonset", True, apps_daemon.DaemonSet,
        short_names=("ds",), categories=("all",), subresources=frozenset({"status"}),
        columns=columns_sets.DAEMON_SET,
    ),
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
    Kind(
        "apps", "v1", "StatefulSet", "statefulsets", "statefulset", True, apps_stateful.StatefulSet,
        short_names=("sts",), categories=("all",), subresources=frozenset({"status", "scale"}),
        columns=columns_sets.STATEFUL_SET,
    ),
)  # fmt: skip
