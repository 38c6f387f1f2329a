"""OpenAPI, made from the schemas. v3: an index, and one document per group and version.

The index links each document with its hash, so that clients may keep it for good.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3

v2 is one document, served in protobuf and not in JSON: kubectl asks for it before it applies a `kind: List`.
"""

from __future__ import annotations

import hashlib
from typing import cast

import orjson

from app.api.answers import JSON, Answer, unknown_path
from app.registry.catalog import Catalog
from app.schemas import openapi

_FOREVER = "public, immutable"
# The `@` is no part of a media type by RFC 6838, so Kubernetes came to answer without it; clients ask with it.
PROTOBUF_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PROTOBUF_V2_TYPES = {PROTOBUF_V2, PROTOBUF_V2.replace("v2.v1.0", "v2@v1.0")}


def index(catalog: Catalog, if_none_match: str) -> Answer:
    """`/openapi/v3`."""
    catalog.catch_up()
    return _tagged(*_index(catalog), if_none_match)


def document(catalog: Catalog, path: str, wanted_hash: str, if_none_match: str) -> Answer:
    """`/openapi/v3/api/v1` or `/openapi/v3/apis/<group>/<version>`; `wanted_hash` as the index gave it."""
    catalog.catch_up()
    served = _paths(catalog).get(path)
    if served is None:
        return unknown_path()
    body, tag = _document(catalog, *served)
    if wanted_hash and wanted_hash != tag:
        return Answer(301, b"", headers=[("Location", f"/openapi/v3/{path}?hash={tag}")])
    answer = _tagged(body, tag, if_none_match)
    if wanted_hash:
        answer.headers.append(("Expires", "Thu, 31 Dec 2099 23:59:59 GMT"))
    return answer


def document_v2(catalog: Catalog, accept: str, if_none_match: str) -> Answer:
    """`/openapi/v2`, for those who accept protobuf."""
    if _PROTOBUF_V2_TYPES.isdisjoint(each.partition(";")[0].strip().lower() for each in accept.split(",")):
        return unknown_path()
    catalog.catch_up()
    return _tagged(*_document_v2(catalog), if_none_match, PROTOBUF_V2)


def _tagged(body: bytes, tag: str, if_none_match: str, content_type: str = JSON) -> Answer:
    headers = [("ETag", f'"{tag}"'), ("Vary", "Accept")]
    if f'"{tag}"' in if_none_match:
        return Answer(304, b"", headers=headers)
    return Answer(200, body, content_type, headers)


def _paths(catalog: Catalog) -> dict[str, tuple[str, str]]:
    """Path below `/openapi/v3/` -> group and version."""
    return {
        (f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"): (
            kind.group,
            kind.version,
        )
        for kind in catalog.all()
    }


def _document(catalog: Catalog, group: str, version: str) -> tuple[bytes, str]:
    """The document, and its hash."""

    def make() -> tuple[bytes, str]:
        return _hashed(orjson.dumps(openapi.of_kinds(catalog.of_version(group, version))))

    return cast(tuple[bytes, str], catalog.remembered(("openapi v3", group, version), make))


def _document_v2(catalog: Catalog) -> tuple[bytes, str]:
    # Imported when first asked for: a server that nobody applies a List to needs no protobuf in memory.
    from app.schemas.openapi_v2 import v2
    from app.schemas.protobuf.openapi import encode

    made = catalog.remembered("openapi v2", lambda: _hashed(encode(v2(catalog.custom()))))
    return cast(tuple[bytes, str], made)


def _index(catalog: Catalog) -> tuple[bytes, str]:
    def make() -> tuple[bytes, str]:
        paths = {}
        for path, served in _paths(catalog).items():
            _, tag = _document(catalog, *served)
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={tag}"}
        return _hashed(orjson.dumps({"paths": paths}))

    return cast(tuple[bytes, str], catalog.remembered("openapi index", make))


def _hashed(body: bytes) -> tuple[bytes, str]:
    return body, hashlib.sha256(body).hexdigest()[:32].upper()
