"""Conversion of custom resources by a webhook: a ConversionReview over HTTPS.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import ApiError
from app.client.webhooks import CallFailed
from app.objects.change import Object
from app.registry.admission.webhooks.address import endpoint
from app.schemas.custom.conversion import Converter
from app.schemas.custom.kinds import Webhooks

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How long a webhook may take. Seconds.
TIMEOUT = 30
REVIEW = "apiextensions.k8s.io/v1"
# In metadata a webhook may change these only.
_ITS_OWN = ("labels", "annotations")


def webhooks(registry: Registry) -> Webhooks:
    """What makes the converter of a definition whose strategy is Webhook."""
    return lambda definition: _converter(registry, definition)


def _converter(registry: Registry, definition: Object) -> Converter:
    webhook = definition["spec"]["conversion"].get("webhook") or {}
    config, name = webhook.get("clientConfig") or {}, definition["metadata"]["name"]

    def convert(objects: list[Object], version: str) -> list[Object]:
        where = endpoint(config, registry.view, TIMEOUT)
        if isinstance(where, str):
            raise _failed(name, version, where)
        uid = registry.ids.uid()
        request = {"uid": uid, "desiredAPIVersion": version, "objects": objects}
        review = {"apiVersion": REVIEW, "kind": "ConversionReview", "request": request}
        try:
            answer = registry.webhooks.post(where, orjson.dumps(review), TIMEOUT)
        except CallFailed as exc:
            raise _failed(name, version, str(exc)) from exc
        made = _read(answer, uid, len(objects), name, version)
        return [_checked(b, a, version, name) for b, a in zip(objects, made, strict=True)]

    return convert


def _read(answer: bytes, uid: str, count: int, name: str, version: str) -> list[Any]:
    """The objects in a review's response. Raises ApiError."""
    try:
        review = orjson.loads(answer)
        response = review["response"]
        result, made = response.get("result") or {}, response.get("convertedObjects") or []
        apiece = (review.get("apiVersion"), review.get("kind"), response.get("uid"))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as exc:
        raise _failed(name, version, f"the response can't be read: {exc}") from exc
    if apiece != (REVIEW, "ConversionReview", uid):
        raise _failed(name, version, f"expected a ConversionReview of {REVIEW} with uid {uid}")
    if result.get("status") != "Success":
        raise _failed(name, version, str(result.get("message") or "unknown reason"))
    if not isinstance(made, list) or len(made) != count:
        raise _failed(name, version, f"expected {count} converted objects, got {len(made)}")
    return made


def _checked(before: Object, after: Any, version: str, name: str) -> Object:
    """The converted object, with the metadata that it had. Raises ApiError for one that is another object."""
    meta = after.get("metadata") if isinstance(after, dict) else None
    if not isinstance(meta, dict):
        raise _failed(name, version, "a converted object has no metadata")
    if after.get("apiVersion") != version or after.get("kind") != before["kind"]:
        raise _failed(
            name, version, f"a converted object is of {after.get('apiVersion')} {after.get('kind')}"
        )
    was: Object = before["metadata"]
    for field in ("name", "namespace", "uid"):
        if meta.get(field) != was.get(field):
            raise _failed(name, version, f"{field} of a converted object was changed")
    kept = {key: value for key, value in was.items() if key not in _ITS_OWN}
    kept.update((key, meta[key]) for key in _ITS_OWN if meta.get(key))
    return {**after, "metadata": kept}


def _failed(name: str, version: str, why: str) -> ApiError:
    return ApiError(f"conversion webhook for {name}, {version} failed: {why}")
