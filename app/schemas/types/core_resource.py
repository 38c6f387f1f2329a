"""What containers and claims ask for and may use."""

from __future__ import annotations

from app.schemas.fields import ListOf, MapOf, Quantity, String, Struct
from app.schemas.types.core_base import Core


class ResourceClaim(Core):
    """A claim of the pod that a container uses."""

    name = String(required=True, keep_zero=True)
    request = String()


class ResourceRequirements(Core):
    """What is asked for (requests) and what may be used at most (limits)."""

    limits = MapOf(Quantity(), "The most that may be used.")
    requests = MapOf(Quantity(), "What is set aside when the pod is placed.")
    claims = ListOf(Struct(ResourceClaim), map_keys=("name",))


class VolumeResourceRequirements(Core):
    """Size that a claim asks for."""

    limits = MapOf(Quantity())
    requests = MapOf(Quantity())
