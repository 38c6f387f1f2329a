"""API group discovery.k8s.io."""

from __future__ import annotations

from app.schemas.columns import network as columns_network
from app.schemas.kind import Kind
from app.schemas.types import discovery

KINDS: tuple[Kind, ...] = (
    Kind(
        "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True,
        discovery.EndpointSlice, columns=columns_network.ENDPOINT_SLICE,
    ),
)  # fmt: skip
