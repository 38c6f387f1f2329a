"""PersistentVolumeClaimResize: a claim may ask for more only where its class lets volumes grow.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
"""

from __future__ import annotations

from app.objects.persistent import CLASSES, class_of, phase_of
from app.objects.volume_matching import asked
from app.registry.admission.attributes import Attributes, Surroundings, forbidden

REFUSAL = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"


def validate(attributes: Attributes, around: Surroundings) -> None:
    """Refuse a bound claim that asks for more than before and can't have it. Raises Forbidden."""
    old, new = attributes.old, attributes.obj
    if attributes.operation != "UPDATE" or attributes.subresource or old is None or new is None:
        return
    # That one which is not bound stays as it is, validation sees to.
    if phase_of(old) != "Bound" or asked(new) <= asked(old):
        return
    name = class_of(new)
    found = around.lookup(CLASSES, name) if name else None
    if found is None or not found.get("allowVolumeExpansion"):
        raise forbidden(attributes, REFUSAL)
