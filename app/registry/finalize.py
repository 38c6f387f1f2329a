"""Finalize: a namespace's `spec.finalizers`, by which its controller lets it go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.objects.change import Object
from app.registry import incoming, write
from app.registry.request import Request
from app.schemas import kinds

if TYPE_CHECKING:
    from app.registry.registry import Registry


def finalize(registry: Registry, request: Request, name: str, raw: Any) -> bytes:
    """Set a namespace's `spec.finalizers`, and nothing else. One that is marked for deletion and has no
    finalizers left is removed.

    Raises:
        BadRequest, Invalid: it is no namespace. NotFound: there is none of that name. Conflict: it names
            a version, and the namespace was changed since.
    """
    kind = kinds.by_resource("namespaces")
    sent = incoming.accept(request, kind, "", raw)
    incoming.check_name(sent, name)
    finalizers = (sent.get("spec") or {}).get("finalizers") or []

    def changed(old: Object) -> Object:
        write.check_version(kind, old, sent)
        spec = {k: v for k, v in (old.get("spec") or {}).items() if k != "finalizers"}
        return {**old, "spec": {**spec, "finalizers": finalizers} if finalizers else spec}

    return write.modify(registry, request, kind, "", name, changed, "finalize")
