"""API group apiextensions.k8s.io."""

from __future__ import annotations

from app.schemas.columns import apiextensions as columns_apiextensions
from app.schemas.kind import Kind
from app.schemas.types import apiextensions

KINDS: tuple[Kind, ...] = (
    Kind(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
        "customresourcedefinition", False, apiextensions.CustomResourceDefinition,
        short_names=("crd", "crds"), categories=("api-extensions",), subresources=frozenset({"status"}),
        columns=columns_apiextensions.DEFINITION,
    ),
)  # fmt: skip
