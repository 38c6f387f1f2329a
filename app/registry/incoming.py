"""An object from outside: is it what the path says, and what does it say?"""

from __future__ import annotations

from typing import Any

from app.base.errors import BadRequest
from app.objects.change import Object
from app.registry.request import Request
from app.schemas import decode as schema
from app.schemas import defaults
from app.schemas.kinds import Kind

# What a client may send along and Beanpole does not keep.
NOT_KEPT = ("selfLink",)


def accept(request: Request, kind: Kind, namespace: str, raw: Any) -> Object:
    """The object in `raw`, checked against its schema, with defaults, in `namespace`.

    Unknown fields are dropped; the client hears of them as `request.field_validation` says.

    Raises:
        BadRequest: it is no object of this kind or namespace, or has unknown fields and validation is
            strict. Invalid: its schema refuses it.
    """
    if not isinstance(raw, dict):
        raise BadRequest(f"a {kind.kind} must be a JSON object")
    _check_type(kind, raw)
    obj, unknown = schema.decode(kind, raw)
    if unknown:
        report_unknown(request, kind, unknown)
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in NOT_KEPT}
    if kind.namespaced:
        if meta.get("namespace") not in (None, "", namespace):
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        meta["namespace"] = namespace
    else:
        meta.pop("namespace", None)
    rest = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    return defaults.apply(kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **rest})


def _check_type(kind: Kind, raw: Object) -> None:
    """An absent apiVersion or kind is the path's."""
    version, name = raw.get("apiVersion"), raw.get("kind")
    if not isinstance(version, str | None) or not isinstance(name, str | None):
        raise BadRequest("couldn't get version/kind; json parse error: apiVersion and kind must be strings")
    if version and version != kind.api_version:
        raise BadRequest(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({kind.api_version})"
        )
    if name and name != kind.kind:
        raise BadRequest(f'{name} in version "{kind.version}" cannot be handled as a {kind.kind}')


def report_unknown(request: Request, kind: Kind, paths: list[str]) -> None:
    """Refuse unknown fields, warn of them, or say nothing."""
    _report(request, kind, [f'unknown field "{path}"' for path in paths])


def report_doubled(request: Request, kind: Kind, paths: list[str]) -> None:
    """The same of fields that are there more than once."""
    _report(request, kind, [f'duplicate field "{path}"' for path in paths])


def _report(request: Request, kind: Kind, found: list[str]) -> None:
    if not found or request.field_validation == "Ignore":
        return
    if request.field_validation == "Strict":
        raise BadRequest(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            f"strict decoding error: {', '.join(found)}"
        )
    request.warnings.extend(warning for warning in found if warning not in request.warnings)


def check_name(obj: Object, name: str) -> None:
    """An object that is put where the path says must carry that name.

    Raises:
        BadRequest: it carries another.
    """
    given = obj["metadata"].get("name")
    if given != name:
        raise BadRequest(
            f"the name of the object ({given or ''}) does not match the name on the URL ({name})"
        )
