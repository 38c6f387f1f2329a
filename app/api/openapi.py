"""OpenAPI v3, made from the schemas: an index, and one document per group and version.

The index links each document with its hash, so that clients may keep it for good.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import orjson

from app.api.answers import Answer, unknown_path
from app.schemas import kinds, openapi

_FOREVER = "public, immutable"


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


def _tagged(body: bytes, tag: str, if_none_match: str) -> Answer:
    headers = [("ETag", f'"{tag}"'), ("Vary", "Accept")]
    if f'"{tag}"' in if_none_match:
        return Answer(304, b"", headers=headers)
    return Answer(200, body, headers=headers)


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
def _index() -> tuple[bytes, str]:
    paths = {}
    for path, served in _paths().items():
        _, tag = _document(*served)
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={tag}"}
    return _hashed(orjson.dumps({"paths": paths}))


def _hashed(body: bytes) -> tuple[bytes, str]:
    return body, hashlib.sha256(body).hexdigest()[:32].upper()
