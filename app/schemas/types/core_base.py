"""The base of all types of the core group."""

from __future__ import annotations

from app.schemas.fields import Type


class Core(Type):
    """Types of the core group, v1."""

    package = "io.k8s.api.core.v1"
