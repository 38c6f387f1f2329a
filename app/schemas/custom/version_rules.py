"""What one version of a CustomResourceDefinition must fulfil."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.custom.jsonpath import BadPath, Path, simple_fields
from app.schemas.custom.schema_rules import check_values
from app.schemas.custom.structural import check_structure
from app.schemas.custom.walk import properties_of
from app.schemas.faults import Faults
from app.schemas.formats import dns_label_1035

COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MOST_SELECTABLE = 8


def version(given: Object, path: str, faults: Faults) -> None:
    """One version, at `spec.versions[i]`."""
    if given.get("name"):
        faults.all_invalid(f"{path}.name", given["name"], dns_label_1035(given["name"]))
    if given.get("deprecationWarning") is not None and not given.get("deprecated"):
        faults.invalid(
            f"{path}.deprecationWarning",
            given["deprecationWarning"],
            "can only be set for deprecated versions",
        )
    schema = (given.get("schema") or {}).get("openAPIV3Schema")
    where = f"{path}.schema.openAPIV3Schema"
    if schema is None:
        faults.required(where, "schemas are required")
    else:
        found = len(faults.causes)
        check_structure(schema, where, faults, root=True)
        if len(faults.causes) == found:
            check_values(schema, where, faults)
    _subresources(given.get("subresources") or {}, f"{path}.subresources", faults)
    for i, column in enumerate(given.get("additionalPrinterColumns") or ()):
        _column(column, f"{path}.additionalPrinterColumns[{i}]", faults)
    _selectable(given.get("selectableFields") or [], schema or {}, f"{path}.selectableFields", faults)


def _subresources(below: Object, path: str, faults: Faults) -> None:
    scale = below.get("scale")
    if scale is None:
        return
    for field, roots in (
        ("specReplicasPath", (".spec.",)),
        ("statusReplicasPath", (".status.",)),
        ("labelSelectorPath", (".spec.", ".status.")),
    ):
        value = scale.get(field)
        if not value:
            continue
        where = f"{path}.scale.{field}"
        if not value.startswith(roots):
            under = " or ".join(root.rstrip(".") for root in reversed(roots))
            faults.invalid(
                where, value, f"should be a json path under {'either ' if len(roots) > 1 else ''}{under}"
            )
            continue
        _simple(value, where, faults)


def _simple(value: str, path: str, faults: Faults) -> list[str]:
    try:
        return simple_fields(value)
    except BadPath as exc:
        faults.invalid(path, value, str(exc))
        return []


def _column(column: Object, path: str, faults: Faults) -> None:
    if column.get("type") and column["type"] not in COLUMN_TYPES:
        faults.not_supported(f"{path}.type", column["type"], COLUMN_TYPES)
    if column.get("format") and column["format"] not in COLUMN_FORMATS:
        faults.not_supported(f"{path}.format", column["format"], COLUMN_FORMATS)
    where = column.get("jsonPath")
    if not where:
        return
    try:
        Path(where)
    except BadPath as exc:
        faults.invalid(f"{path}.jsonPath", where, str(exc))
        return
    if not where.startswith((".", "[")):
        faults.invalid(f"{path}.jsonPath", where, "must be a simple json path starting with .")


def _selectable(fields: list[Object], schema: Object, path: str, faults: Faults) -> None:
    if len(fields) > MOST_SELECTABLE:
        faults.too_many(path, len(fields), MOST_SELECTABLE)
    seen = set()
    for i, field in enumerate(fields):
        value, where = field.get("jsonPath") or "", f"{path}[{i}].jsonPath"
        if not value:
            continue
        if value in seen:
            faults.duplicate(where, value)
        seen.add(value)
        names = _simple(value, where, faults)
        if not names:
            continue
        if names[0] == "metadata":
            faults.invalid(where, value, "must not point to fields in metadata")
            continue
        found: Object | None = schema
        for name in names:
            found = properties_of(found).get(name) if found is not None else None
        if found is None or found.get("type") not in ("string", "boolean", "integer"):
            faults.invalid(
                where, value, "is an invalid path: must point to a field of type string, boolean or integer"
            )
