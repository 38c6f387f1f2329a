"""Patch: PATCH of an object, or of its status, in the three forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.base.errors import BadRequest, UnsupportedMediaType
from app.objects import json_patch, merge_patch, strategic
from app.objects.change import Object
from app.objects.strategic import MergeInfo
from app.registry import incoming, versions, write
from app.registry.replace import check_subresource, settled_as
from app.registry.request import Request
from app.schemas.kinds import Kind
from app.schemas.merge import merge_key

if TYPE_CHECKING:
    from app.registry.registry import Registry

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
FORMS = (JSON, MERGE, STRATEGIC, APPLY)


def patch(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    name: str,
    body: Any,
    content_type: str,
    subresource: str,
) -> bytes:
    """Apply a patch to the object as it is; the JSON of what is stored then.

    It is applied anew if another write came between, unless the patch itself names a version.

    Raises:
        UnsupportedMediaType: no such form of patch. BadRequest, Invalid: the patch, or what it makes, is not
            what it should be. NotFound: there is nothing to patch. Conflict: it names another version.
    """
    check_subresource(kind, subresource)
    check_type(content_type, kind)

    def changed(old: Object) -> Object:
        patched = apply(versions.shown_object(kind, old), body, content_type, merge_key(kind))
        sent = incoming.accept(request, kind, namespace, patched)
        incoming.check_name(sent, name)
        write.check_version(kind, old, sent)
        return settled_as(kind, old, sent, subresource, registry.clock.now())

    return write.modify(registry, request, kind, namespace, name, changed, subresource)


def check_type(content_type: str, kind: Kind | None = None) -> None:
    """Raises UnsupportedMediaType for a form of patch that is not known here, or not for that kind: there is no
    strategic merge patch of custom resources."""
    forms = FORMS if kind is None or kind.custom is None else (JSON, MERGE, APPLY)
    if content_type not in forms:
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include: "
            f"{', '.join(forms)}"
        )


def apply(old: Object, body: Any, content_type: str, info: MergeInfo) -> Object:
    """The object after the patch; what an apply does is in `app.registry.apply`. Raises as the forms do, and
    BadRequest for absurd depth."""
    try:
        if content_type == JSON:
            return json_patch.apply(old, body)
        if content_type == MERGE:
            return merge_patch.apply(old, body)
        if content_type == STRATEGIC:
            return strategic.apply(old, body, info)
        raise UnsupportedMediaType(f"{content_type} does not say what to change but what should be")
    except RecursionError as exc:
        raise BadRequest("the patch is nested too deeply") from exc
