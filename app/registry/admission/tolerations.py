"""DefaultTolerationSeconds, and what else of a new pod follows from what it says itself.

https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from __future__ import annotations

from app.objects.admitted import with_requests, with_tolerations
from app.registry.admission.attributes import Attributes, Surroundings


def complete(attributes: Attributes, around: Surroundings) -> None:
    """A limit without a request is one; Kubernetes says so before any plugin sees the pod (`SetDefaults_Pod`)."""
    if attributes.obj is not None and attributes.operation == "CREATE" and not attributes.subresource:
        attributes.obj = {**attributes.obj, "spec": with_requests(attributes.obj.get("spec") or {})}


def mutate(attributes: Attributes, around: Surroundings) -> None:
    """How long the pod stays on a node that is not ready or unreachable, where it does not say so itself."""
    if attributes.obj is not None and attributes.operation == "CREATE" and not attributes.subresource:
        spec = with_tolerations(attributes.obj.get("spec") or {}, around.settings.unreachable_toleration)
        attributes.obj = {**attributes.obj, "spec": spec}
