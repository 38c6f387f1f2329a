"""The words in which a request is refused (k8s.io/apiserver pkg/endpoints/handlers/responsewriters/errors.go)."""

from __future__ import annotations

from app.base.errors import Forbidden, qualified
from app.registry.access.attributes import Asked


def forbidden(user: str, asked: Asked, reason: str) -> Forbidden:
    """The error that says that a user may not do what is asked. `reason`: why, or empty."""
    resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    what = qualified(asked.resource, asked.group) + (f' "{asked.name}"' if asked.name else "")
    return Forbidden(
        f'{what} is forbidden: User "{user}" cannot {asked.verb} resource "{resource}" in API group '
        f'"{asked.group}" {where}{f": {reason}" if reason else ""}',
        group=asked.group,
        resource=asked.resource,
        name=asked.name,
    )
