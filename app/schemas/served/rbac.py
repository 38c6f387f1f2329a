"""API group rbac.authorization.k8s.io."""

from __future__ import annotations

from app.schemas.columns import access as columns_access
from app.schemas.kind import Kind
from app.schemas.types import rbac

KINDS: tuple[Kind, ...] = (
    Kind(
        rbac.GROUP, "v1", "ClusterRole", "clusterroles", "clusterrole", False, rbac.ClusterRole,
        columns=columns_access.ROLE,
    ),
    Kind(
        rbac.GROUP, "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", False,
        rbac.ClusterRoleBinding, columns=columns_access.BINDING,
    ),
    Kind(
        rbac.GROUP, "v1", "Role", "roles", "role", True, rbac.Role,
        columns=columns_access.ROLE,
    ),
    Kind(
        rbac.GROUP, "v1", "RoleBinding", "rolebindings", "rolebinding", True,
        rbac.RoleBinding, columns=columns_access.BINDING,
    ),
)  # fmt: skip
