"""From a CustomResourceDefinition to the kinds that it makes.

A definition whose names are accepted and which is Established makes one Kind for each version that is served. All of
it hangs on these Kinds: when a definition goes, nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.objects import conditions
from app.objects.change import Object
from app.schemas.custom.columns import columns_of
from app.schemas.custom.conversion import Converter, conversion_of
from app.schemas.custom.jsonpath import BadPath, simple_fields
from app.schemas.custom.schema import CustomObject, CustomSchema
from app.schemas.kind import Kind

# From a definition to what converts its objects by asking a webhook.
Webhooks = Callable[[Object], Converter]


def is_established(definition: Object) -> bool:
    """Whether its objects are served."""
    return conditions.is_true(definition, "Established")


def kinds_of(definition: Object, webhooks: Webhooks) -> tuple[Kind, ...]:
    """The kinds that a definition makes, one for each served version, in the order in which Kubernetes prefers
    versions; none unless it is established."""
    if not is_established(definition):
        return ()
    versions = definition["spec"]["versions"]
    stored = next(version for version in versions if version.get("storage"))
    served = [version for version in versions if version.get("served")]
    served.sort(key=lambda version: priority(version["name"]))
    made = []
    for version in served:
        kind = _kind(definition, version, checked=True)
        # Objects are held to the schema of the version in which they are written.
        storage = _kind(definition, stored, checked=version is stored)
        conversion = conversion_of(definition, kind, storage, webhooks)
        made.append(kind if conversion is None else replace(kind, conversion=conversion))
    return tuple(made)


def _kind(definition: Object, version: Object, *, checked: bool) -> Kind:
    spec = definition["spec"]
    names = (definition.get("status") or {}).get("acceptedNames") or spec["names"]
    below = version.get("subresources") or {}
    schema = CustomSchema(
        (version.get("schema") or {}).get("openAPIV3Schema"),
        checked=checked,
        terminating=bool(definition["metadata"].get("deletionTimestamp")),
        scale=below.get("scale"),
    )
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        names.get("singular") or names["kind"].lower(),
        spec["scope"] == "Namespaced",
        CustomObject,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=frozenset(name for name in ("status", "scale") if below.get(name) is not None),
        columns=columns_of(version),
        custom=schema,
        list_name=names.get("listKind") or f"{names['kind']}List",
        selectable=tuple(_selectable(version)),
        warning=_warning(spec, names, version),
    )


def _selectable(version: Object) -> list[str]:
    found = []
    for each in version.get("selectableFields") or ():
        try:
            found.append(".".join(simple_fields(each.get("jsonPath") or "")))
        except BadPath:
            continue
    return found


def _warning(spec: Object, names: Object, version: Object) -> str:
    if not version.get("deprecated"):
        return ""
    plain = f"{spec['group']}/{version['name']} {names['kind']} is deprecated"
    return version.get("deprecationWarning") or plain


def priority(name: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: v2, v1, v1beta2, v1beta1, v1alpha1, then all others by name.

    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority
    """
    head, stage, minor = name.removeprefix("v"), 3, ""
    for word, rank in (("alpha", 1), ("beta", 2)):
        if word in head:
            head, _, minor = head.partition(word)
            stage = rank
    well_formed = name.startswith("v") and head.isdigit() and (stage == 3 or minor.isdigit())
    if not well_formed:
        return (1, 0, 0, name)
    return (0, -stage, -int(head) * 100_000 - int(minor or 0), name)
