"""Between the versions of a custom resource: by changing its apiVersion, or by asking a webhook.

An object lies in the store in the version in which it was last written, which the definition may have changed since:
what it is, its own apiVersion says. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/
"""

from __future__ import annotations

from collections.abc import Callable

from app.objects.change import Object
from app.schemas.kind import Conversion, Kind

# Makes of objects, all of other versions, objects of the version that is named (`example.com/v1`).
Converter = Callable[[list[Object], str], list[Object]]


def conversion_of(
    definition: Object, kind: Kind, storage: Kind, webhooks: Callable[[Object], Converter]
) -> Conversion | None:
    """How objects get between the store and a served version; None where they can't be there in another version,
    nor have been written under another schema."""
    spec = definition["spec"]
    given = spec.get("conversion") or {}
    slow = given.get("strategy") == "Webhook"
    names = {version["name"] for version in spec["versions"]}
    stored = set((definition.get("status") or {}).get("storedVersions") or ())
    changed = definition["metadata"].get("generation", 1) > 1
    if len(names | stored) == 1 and not changed:
        return None
    convert = webhooks(definition) if slow else _renamed

    def from_storage(objects: list[Object]) -> list[Object]:
        return [
            _as_served(kind, before, after)
            for before, after in zip(objects, _converted(objects, kind.api_version, convert), strict=True)
        ]

    def to_storage(objects: list[Object]) -> list[Object]:
        return _converted(objects, storage.api_version, convert)

    return Conversion(storage, to_storage, from_storage, slow=slow and len(names | stored) > 1)


def _renamed(objects: list[Object], version: str) -> list[Object]:
    """Strategy None: nothing but the version's name changes."""
    return [{**obj, "apiVersion": version} for obj in objects]


def _converted(objects: list[Object], version: str, convert: Converter) -> list[Object]:
    """The objects in a version; those that are in it stay as they are."""
    others = [obj for obj in objects if obj.get("apiVersion") != version]
    if not others:
        return objects
    made = iter(convert(others, version))
    return [obj if obj.get("apiVersion") == version else next(made) for obj in objects]


def _as_served(kind: Kind, before: Object, obj: Object) -> Object:
    """An object as its schema has it now, whatever the schema was when it was written."""
    schema = kind.custom
    if schema is None:
        return obj
    dropped: list[str] = []
    pruned = schema.pruned(obj, dropped)
    filled = schema.filled(pruned if dropped else obj)
    return before if filled is obj and obj is before else filled
