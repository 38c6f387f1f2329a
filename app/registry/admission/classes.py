"""Classes that objects get when they name none: DefaultStorageClass, DefaultIngressClass; and RuntimeClass, whose
overhead and scheduling become the pod's.

https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass,
https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class and
https://kubernetes.io/docs/concepts/containers/runtime-class/
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.persistent import CLASSES as STORAGE_CLASSES
from app.objects.persistent import default_class, names_class
from app.registry.admission.attributes import Attributes, Surroundings, forbidden, together

INGRESS_CLASSES = "ingressclasses.networking.k8s.io"
RUNTIME_CLASSES = "runtimeclasses.node.k8s.io"
DEFAULT_INGRESS = "ingressclass.kubernetes.io/is-default-class"
# How an ingress named its class before there was a field for it.
INGRESS_OLD = "kubernetes.io/ingress.class"


def storage(attributes: Attributes, around: Surroundings) -> None:
    """A claim that says nothing of its class gets the default one: of several, the newest."""
    claim = attributes.obj
    if claim is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    spec = claim.get("spec") or {}
    if names_class(claim):
        return
    chosen = default_class(around.view.list(STORAGE_CLASSES))
    if chosen is not None:
        attributes.obj = {**claim, "spec": {**spec, "storageClassName": chosen}}


def ingress(attributes: Attributes, around: Surroundings) -> None:
    """An ingress that names no class gets the default one.

    Raises:
        Forbidden: there are several.
    """
    found = attributes.obj
    if found is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    spec = found.get("spec") or {}
    if spec.get("ingressClassName") is not None or INGRESS_OLD in _annotations(found):
        return
    marked = [c for c in around.view.list(INGRESS_CLASSES) if _annotations(c).get(DEFAULT_INGRESS) == "true"]
    if len(marked) > 1:
        raise forbidden(attributes, f"{len(marked)} default IngressClasses were found, only 1 allowed")
    if marked:
        attributes.obj = {**found, "spec": {**spec, "ingressClassName": marked[0]["metadata"]["name"]}}


def runtime(attributes: Attributes, around: Surroundings) -> None:
    """A pod gets its RuntimeClass's overhead, node selector and tolerations.

    Raises:
        Forbidden: there is no such class, or the pod says otherwise itself.
    """
    pod = attributes.obj
    if pod is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    spec = pod.get("spec") or {}
    name = spec.get("runtimeClassName")
    if not name:
        if spec.get("overhead"):
            raise forbidden(
                attributes,
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
            )
        return
    found = around.lookup(RUNTIME_CLASSES, name)
    if found is None:
        raise forbidden(
            attributes,
            f'pod rejected: RuntimeClass "{name}" not found',
        )
    spec = dict(spec)
    overhead = (found.get("overhead") or {}).get("podFixed") or {}
    if overhead:
        if spec.get("overhead") and spec["overhead"] != overhead:
            raise forbidden(
                attributes,
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
            )
        spec["overhead"] = dict(overhead)
    elif spec.get("overhead"):
        raise forbidden(
            attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        )
    attributes.obj = {**pod, "spec": _scheduled(attributes, spec, found.get("scheduling") or {})}


def _scheduled(attributes: Attributes, spec: Object, scheduling: Object) -> Object:
    selector = scheduling.get("nodeSelector") or {}
    own = spec.get("nodeSelector") or {}
    at_odds = [
        f"conflict: runtimeClass.scheduling.nodeSelector[{k}] = {v}; pod.spec.nodeSelector[{k}] = {own[k]}"
        for k, v in selector.items()
        if own.get(k, v) != v
    ]
    if at_odds:
        raise forbidden(attributes, together(at_odds))
    if selector:
        spec["nodeSelector"] = {**own, **selector}
    more = [t for t in scheduling.get("tolerations") or () if t not in (spec.get("tolerations") or ())]
    if more:
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *more]
    return spec


def _annotations(obj: Object) -> dict[str, str]:
    return (obj.get("metadata") or {}).get("annotations") or {}
