"""From a pod template to the pod that its owner makes of it."""

from __future__ import annotations

from app.objects.admitted import admitted_pod
from app.objects.change import Object
from app.objects.meta import controller_reference


def pod_of(owner: Object, template: Object, unreachable_toleration: int) -> Object:
    """A pod of `template`, controlled by `owner`, that has no name yet. See `admitted_pod` for the last parameter.

    What is inside the template is shared with it: whoever changes the pod further makes new parts.
    """
    shape = template.get("metadata") or {}
    pod = admitted_pod(
        {"apiVersion": "v1", "kind": "Pod", "spec": template.get("spec") or {}}, unreachable_toleration
    )
    meta: Object = {
        "namespace": owner["metadata"]["namespace"],
        "labels": dict(shape.get("labels") or {}),
        "ownerReferences": [controller_reference(owner)],
    }
    for field in ("annotations", "finalizers"):
        if shape.get(field):
            meta[field] = shape[field]
    return {**pod, "metadata": meta}
