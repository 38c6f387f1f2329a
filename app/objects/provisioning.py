"""Which nodes a class's provisioner can make volumes for: asked by the scheduler before it chooses one, and by our own
provisioner for classes that don't wait for it."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.meta import annotations_of, labels
from app.objects.persistent import FOLDER, OURS


def can_hold(node: Object, storage_class: Object) -> bool:
    """Whether a volume of the class can be made for the node: `allowedTopologies` has it, and if the provisioner is
    ours, the node's agent has said where its volumes lie."""
    if storage_class.get("provisioner") in OURS and FOLDER not in annotations_of(node):
        return False
    terms = storage_class.get("allowedTopologies")
    if not terms:
        return True
    own = labels(node)
    return any(
        all(
            own.get(each["key"]) in (each.get("values") or ())
            for each in term.get("matchLabelExpressions") or ()
        )
        for term in terms
    )
