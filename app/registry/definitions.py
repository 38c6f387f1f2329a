"""What is particular to CustomResourceDefinitions when they are created or changed: which versions were ever stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.base.errors import MethodNotAllowed, NotFound
from app.objects.change import Object
from app.schemas.kind import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry


def check_served(registry: Registry, kind: Kind) -> None:
    """Whether new objects of a custom kind may come still, as far as is known here; the commit that would be too late
    is rejected (`app.objects.rules`), and this asked again.

    Raises:
        NotFound: its definition is gone. MethodNotAllowed: it is being deleted.
    """
    if kind.custom is None:
        return
    # The version in which objects are stored need not be served.
    found = [each.custom for each in registry.catalog.custom() if each.resource == kind.resource]
    if not found:
        raise NotFound("the server could not find the requested resource")
    if any(each.terminating for each in found if each is not None):
        raise MethodNotAllowed("create not allowed while custom resource definition is terminating")


def definition_status(definition: Object) -> Object:
    """The first status of a definition: nothing is accepted yet, and objects will be stored in one version."""
    return {
        "conditions": [],
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": _stored(definition),
    }


def definition_update(old: Object, new: Object) -> Object:
    """A version in which objects are stored from now on is one in which some may lie in the store."""
    status = new.get("status") or {}
    known = status.get("storedVersions") or []
    added = [name for name in _stored(new) if name not in known]
    return {**new, "status": {**status, "storedVersions": [*known, *added]}} if added else new


def _stored(definition: Object) -> list[str]:
    versions = definition.get("spec", {}).get("versions") or ()
    return [version["name"] for version in versions if version.get("storage")]
