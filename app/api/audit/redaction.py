"""What the audit log must not tell: the data of Secrets and ConfigMaps, and tokens."""

from __future__ import annotations

from typing import Any

from app.objects.change import Object

HIDDEN = "REDACTED"
_DATA = ("data", "stringData", "binaryData")
# What is told of an object with data besides the keys of its data.
_TOLD = (
    "apiVersion",
    "kind",
    "type",
    "immutable",
    "propagationPolicy",
    "gracePeriodSeconds",
    "preconditions",
)
_META = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "labels", "ownerReferences", "finalizers", "continue", "remainingItemCount",
)  # fmt: skip
_WITH_DATA = frozenset({"secrets", "configmaps"})


def is_sensitive(group: str, resource: str, subresource: str) -> bool:
    """Whether bodies about this resource hold what must not be told. Refusals of them may quote it."""
    return (not group and resource in _WITH_DATA) or subresource == "token" or resource == "tokenreviews"


def redacted(group: str, resource: str, subresource: str, body: Any) -> Any:
    """A body, of a request or an answer, without what must not be told. The body is not changed."""
    if not group and resource in _WITH_DATA:
        return _without_data(body)
    if subresource == "token" or resource == "tokenreviews":
        return _without_token(body)
    return body


def _without_data(body: Any) -> Any:
    """Only what is known to be harmless is told: an object, a list of them, or a patch of any form."""
    if isinstance(body, list):
        # A JSON patch: paths name keys, values are data.
        return [
            {
                key: (HIDDEN if key == "value" else value)
                for key, value in each.items()
                if key in ("op", "path", "from", "value")
            }
            for each in body
            if isinstance(each, dict)
        ]
    if not isinstance(body, dict):
        return HIDDEN
    told: Object = {key: body[key] for key in _TOLD if isinstance(body.get(key), str | bool | int)}
    if isinstance(body.get("metadata"), dict):
        told["metadata"] = {key: body["metadata"][key] for key in _META if key in body["metadata"]}
    for part in _DATA:
        if part in body:
            data = body[part]
            told[part] = dict.fromkeys(data, HIDDEN) if isinstance(data, dict) else HIDDEN
    if isinstance(body.get("items"), list):
        told["items"] = [_without_data(item) for item in body["items"]]
    return told


def _without_token(body: Any) -> Any:
    if not isinstance(body, dict):
        return HIDDEN
    told = dict(body)
    for part in ("spec", "status"):
        if isinstance(told.get(part), dict) and "token" in told[part]:
            told[part] = {**told[part], "token": HIDDEN}
    return told
