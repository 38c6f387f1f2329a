"""Which form of answer a client takes.

Objects are served as JSON, and as the Table and PartialObjectMetadata forms of meta.k8s.io/v1. Clients that
would rather have protobuf list JSON after it.
https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from app.base.errors import NotAcceptable

_DISCOVERY = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_JSON_TYPES = frozenset({"application/json", "application/*", "*/*"})


class Form(Enum):
    """How objects are put."""

    JSON = "json"
    TABLE = "table"
    PARTIAL = "partial"


@lru_cache(maxsize=256)
def form(accept: str) -> Form:
    """The first form in the Accept header that is served here.

    Raises:
        NotAcceptable: none is; only protobuf was asked for, say.
    """
    for media, params in _listed(accept):
        if media not in _JSON_TYPES:
            continue
        wanted = params.get("as")
        if wanted is None:
            return Form.JSON
        if params.get("g") != "meta.k8s.io" or params.get("v") != "v1":
            continue
        if wanted == "Table":
            return Form.TABLE
        if wanted in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return Form.PARTIAL
    raise refusal()


@lru_cache(maxsize=256)
def wants_aggregated_discovery(accept: str) -> bool:
    """Whether the first form that is served here is the aggregated discovery document.

    Raises:
        NotAcceptable: neither that nor plain JSON is taken.
    """
    for media, params in _listed(accept):
        if media not in _JSON_TYPES:
            continue
        if "as" not in params:
            return False
        if media == "application/json" and params.items() >= _DISCOVERY.items():
            return True
    raise refusal()


def refusal() -> NotAcceptable:
    """Kubernetes's sentence for an Accept header that nothing meets."""
    return NotAcceptable(
        "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io, "
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    )


def _listed(accept: str) -> list[tuple[str, dict[str, str]]]:
    """The media types of an Accept header, best first (`q`), with their parameters."""
    found: list[tuple[float, str, dict[str, str]]] = []
    for item in (accept or "*/*").split(","):
        media, *rest = (piece.strip() for piece in item.split(";"))
        params = {}
        for pair in rest:
            name, _, value = pair.partition("=")
            params[name.strip().lower()] = value.strip().strip('"')
        try:
            weight = float(params.pop("q", "1"))
        except ValueError:
            weight = 1.0
        if weight > 0:
            found.append((weight, media.lower(), params))
    found.sort(key=lambda each: -each[0])
    return [(media, params) for _, media, params in found]
