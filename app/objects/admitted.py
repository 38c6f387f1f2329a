"""What a pod gets on its way in that its author left out.

A pod made by a controller and one made by a client must end up alike, so both go through
`admitted_pod`. It stands for what Kubernetes does in `SetDefaults_Pod` (what a pod template does not
get: requests after limits, service links) and for what follows from the pod alone; what follows from other objects
of the cluster, its priority for one, is admission's (`app.registry.admission`;
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/).
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import MIRROR
from app.objects.qos import qos_class
from app.objects.taints import NO_EXECUTE, NOT_READY, UNREACHABLE

# The two classes that every cluster has (k8s.io/kubernetes/pkg/apis/scheduling).
PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def admitted_pod(pod: Object, unreachable_toleration: int) -> Object:
    """A new pod as it is stored: tolerations, service account, requests, QoS class and the
    status of a pod that nothing has happened to yet.

    Args:
        pod: a pod whose fields have their defaults; not changed. A status in it is dropped.
        unreachable_toleration: seconds for which the pod stays on a node that is not ready or
            unreachable, where it does not say so itself.
    """
    spec = dict(pod.get("spec") or {})
    if MIRROR not in ((pod.get("metadata") or {}).get("annotations") or {}):
        account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    spec.setdefault("enableServiceLinks", True)
    spec = with_requests(with_tolerations(spec, unreachable_toleration))
    status = {"phase": "Pending", "qosClass": qos_class(spec)}
    return {**pod, "spec": spec, "status": status}


def with_tolerations(spec: Object, seconds: int) -> Object:
    """The spec with how long it stays on a node that is not ready or unreachable, where it doesn't say."""
    return {**spec, "tolerations": _tolerations(spec.get("tolerations") or [], seconds)}


def with_requests(spec: Object) -> Object:
    """The spec with requests for what its containers only limit."""
    filled = {
        field: [_with_requests(container) for container in spec[field]]
        for field in ("containers", "initContainers")
        if spec.get(field)
    }
    return {**spec, **filled}


def _tolerations(given: list[Object], seconds: int) -> list[Object]:
    tolerations = list(given)
    for key in (NOT_READY, UNREACHABLE):
        covered = any((t.get("key") or key) == key and t.get("effect", "") in ("", NO_EXECUTE) for t in given)
        if not covered:
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": NO_EXECUTE, "tolerationSeconds": seconds}
            )
    return tolerations


def _with_requests(container: Object) -> Object:
    """A resource that has a limit and no request is requested up to its limit."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or {}
    if not limits or all(name in requests for name in limits):
        return container
    return {**container, "resources": {**resources, "requests": {**limits, **requests}}}
