"""The webhooks of a cluster, and those that a request is for."""

from __future__ import annotations

from dataclasses import dataclass

from app.objects.change import Object, ReadView
from app.registry.admission.attributes import Attributes, Surroundings
from app.registry.admission.webhooks.address import endpoint
from app.registry.admission.webhooks.matching import EXEMPT, matched_kind, selected
from app.schemas.kinds import Kind

MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook that a request is for.

    Attributes:
        configuration: name of the object that it stands in. said: what it says of itself there.
        kind: the version in which it wants to see the object.
        where: where it is reached, an Endpoint; or why that can't be told.
    """

    configuration: str
    said: Object
    kind: Kind
    where: object

    @property
    def name(self) -> str:
        return str(self.said.get("name") or "")

    @property
    def fails_open(self) -> bool:
        return self.said.get("failurePolicy") == "Ignore"

    @property
    def seconds(self) -> int:
        return int(self.said.get("timeoutSeconds") or 10)


def due(resource: str, attributes: Attributes, around: Surroundings) -> list[Hook]:
    """The webhooks of one sort that the request is for, by the names of their configurations."""
    view = around.view
    names = view.keys(resource)
    if not names or attributes.kind.resource in EXEMPT or around.webhooks is None:
        return []
    found = []
    for name in names:
        configuration = view.get(resource, name) or {}
        for said in configuration.get("webhooks") or ():
            kind = matched_kind(
                attributes, said.get("rules") or (), str(said.get("matchPolicy") or "Equivalent")
            )
            if kind is None:
                continue
            if selected(attributes, view, said.get("namespaceSelector"), said.get("objectSelector")):
                where = endpoint(said.get("clientConfig") or {}, view, int(said.get("timeoutSeconds") or 10))
                found.append(Hook(name, said, kind, where))
    return found


def any_of(resource: str, view: ReadView) -> bool:
    return bool(view.keys(resource))
