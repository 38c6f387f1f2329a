"""From parsed JSON to an object of a kind: types checked, unknown fields dropped and named."""

from __future__ import annotations

from typing import Any

from app.base.errors import BadRequest
from app.objects.change import Object
from app.schemas.fields import Field, Type
from app.schemas.kind import Kind
from app.schemas.mismatch import Mismatch


def decode(kind: Kind, raw: Any) -> tuple[Object, list[str]]:
    """The object in `raw`, which is parsed JSON and is not changed.

    Nulls are dropped, and so are empty values where Kubernetes does not tell them from absent ones.
    Quantities and times come out in canonical form. `apiVersion` and `kind` are taken as they are.

    Returns:
        The object, and the paths of fields that the kind does not have (`spec.containers[0].foo`).

    Raises:
        BadRequest: a value is of the wrong JSON type; in the words of Go's decoder.
    """
    unknown: list[str] = []
    try:
        if raw is None:
            raise Mismatch("null", kind.schema.go_name())
        if kind.custom is not None:
            return kind.custom.decode(raw, unknown), unknown
        obj = kind.schema.decoder()(raw, unknown)
    except Mismatch as exc:
        raise BadRequest(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {exc.message()}'
        ) from exc
    except RecursionError as exc:
        raise BadRequest(f"{kind.kind} is nested too deeply") from exc
    # The fast decoder only notes that something was unknown; where, is found out on a second walk.
    return obj, (_unknown_paths(kind.schema, raw, "") if unknown else [])


def _unknown_paths(inside: Field | type[Type] | None, raw: Any, path: str) -> list[str]:
    if inside is None or raw is None:
        return []
    if isinstance(inside, Field):
        return _inside_field(inside, raw, path)
    if not isinstance(raw, dict):
        return []  # a field that holds a struct or something else
    fields = inside.fields_of()
    found: list[str] = []
    for key, value in raw.items():
        here = f"{path}.{key}" if path else key
        if key in fields:
            found += _inside_field(fields[key], value, here)
        else:
            found.append(here)
    return found


def _inside_field(field: Field, raw: Any, path: str) -> list[str]:
    inside = field.children()
    if inside is None or raw is None:
        return []
    if isinstance(raw, list):
        return [p for i, item in enumerate(raw) for p in _unknown_paths(inside, item, f"{path}[{i}]")]
    if isinstance(inside, Field):
        return [p for key, item in raw.items() for p in _unknown_paths(inside, item, f"{path}[{key}]")]
    return _unknown_paths(inside, raw, path)
