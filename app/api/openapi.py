"""OpenAPI, made from the schemas. v3: an index, and one document per group and version.

The index links each document with its hash, so that clients may keep it for good.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3

v2 is one document, served in protobuf and not in JSON: kubectl asks for it before it applies a `kind: List`.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import orjson

from app.api.answers import JSON, Answer, of_json, unknown_path
from app.schemas import kinds, openapi

_FOREVER = "public, immutable"
# The `@` is no part of a media type by RFC 6838, so Kubernetes came to answer without it; clients ask with it.
PROTOBUF_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PROTOBUF_V2_TYPES = {PROTOBUF_V2, PROTOBUF_V2.replace("v2.v1.0", "v2@v1.0")}


def index(if_none_match: str) -> Answer:
    """`/openapi/v3`."""
    return _tagged(*_index(), if_none_match)


def document(path: str, wanted_hash: str, if_none_match: str) -> Answer:
    """`/openapi/v3/api/v1` or `/openapi/v3/apis/<group>/<version>`; `wanted_hash` as the index gave it."""
    served = _paths().get(path)
    if served is None:
        return unknown_path()
    body, tag = _document(*served)
    if wanted_hash and wanted_hash != tag:
        return Answer(301, b"", headers=[("Location", f"/openapi/v3/{path}?hash={tag}")])
    answer = _tagged(body, tag, if_none_match)
    if wanted_hash:
        answer.headers.append(("Expires", "Thu, 31 Dec 2099 23:59:59 GMT"))
    return answer


def document_v2(accept: str, if_none_match: str) -> Answer:
    """`/openapi/v2`, for those who accept protobuf."""
    if _PROTOBUF_V2_TYPES.isdisjoint(each.partition(";")[0].strip().lower() for each in accept.split(",")):
        return unknown_path()
    return _tagged(*_document_v2(), if_none_match, PROTOBUF_V2)


def custom_kinds() -> Answer:
    """`/apis/apiextensions.k8s.io/v1/customresourcedefinitions`: there are none, and none can be made.

    kubectl asks for it about a kind that it doesn't find in the v2 document. Told that there are none, it says that
    the kind is not known; without an answer it only says that it could not ask.
    """
    return of_json(
        {
            "kind": "CustomResourceDefinitionList",
            "apiVersion": "apiextensions.k8s.io/v1",
            "metadata": {},
            "items": [],
        }
    )


def _tagged(body: bytes, tag: str, if_none_match: str, content_type: str = JSON) -> Answer:
    headers = [("ETag", f'"{tag}"'), ("Vary", "Accept")]
    if f'"{tag}"' in if_none_match:
        return Answer(304, b"", headers=headers)
    return Answer(200, body, content_type, headers)


@lru_cache(maxsize=1)
def _paths() -> dict[str, tuple[str, str]]:
    """Path below `/openapi/v3/` -> group and version."""
    return {
        (f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"): (
            kind.group,
            kind.version,
        )
        for kind in kinds.ALL
    }


@lru_cache(maxsize=128)
def _document(group: str, version: str) -> tuple[bytes, str]:
    return _hashed(orjson.dumps(openapi.v3(group, version)))


@lru_cache(maxsize=1)
def _document_v2() -> tuple[bytes, str]:
    # Imported when first asked for: a server that nobody applies a List to needs no protobuf in memory.
    from app.schemas.openapi_v2 import v2
    from app.schemas.protobuf.openapi import encode

    return _hashed(encode(v2()))


@lru_cache(maxsize=1)
def _index() -> tuple[bytes, str]:
    paths = {}
    for path, served in _paths().items():
        _, tag = _document(*served)
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={tag}"}
    return _hashed(orjson.dumps({"paths": paths}))


def _hashed(body: bytes) -> tuple[bytes, str]:
    return body, hashlib.sha256(body).hexdigest()[:32].upper()
