"""Which volume a claim may have, and which of several it gets.

The rules are those of kubernetes/pkg/volume/persistentvolume (`FindMatchingVolume`), with one difference: a volume that
somebody reserved for a claim has to fit it like any other.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.objects import node_affinity, quantity
from app.objects.change import Object
from app.objects.meta import is_deleting, labels, with_meta
from app.objects.persistent import BOUND_BY_CONTROLLER, class_of, phase_of
from app.objects.selectors import of_label_selector


def asked(claim: Object) -> int:
    """How many bytes a claim asks for."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return quantity.value(requests.get("storage", 0))


def size(volume: Object) -> int:
    """How many bytes a volume has."""
    return quantity.value((volume["spec"].get("capacity") or {}).get("storage", 0))


def misfit(volume: Object, claim: Object) -> str | None:
    """Why a volume is none that the claim could be bound to, in Kubernetes's words; None if it is one."""
    wants, has = claim["spec"], volume["spec"]
    if (wants.get("volumeMode") or "Filesystem") != (has.get("volumeMode") or "Filesystem"):
        return "incompatible volumeMode"
    if size(volume) < asked(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if not set(wants.get("accessModes") or ()) <= set(has.get("accessModes") or ()):
        return "incompatible accessMode"
    if (wants.get("volumeAttributesClassName") or "") != (has.get("volumeAttributesClassName") or ""):
        return "VolumeAttributesClassName does not match"
    return None


def is_reserved_for(volume: Object, claim: Object) -> bool:
    """Whether the volume names the claim, by its uid or before it had one."""
    ref, meta = volume["spec"].get("claimRef"), claim["metadata"]
    if not ref or ref.get("name") != meta["name"] or ref.get("namespace") != meta["namespace"]:
        return False
    return not ref.get("uid") or ref["uid"] == claim["metadata"]["uid"]


def reaches(volume: Object, node: str, node_labels: Mapping[str, str]) -> bool:
    """Whether the volume can be used on a node of that name and those labels."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    if not required:
        return True
    return any(
        node_affinity.term_matches(term, node, node_labels)
        for term in required.get("nodeSelectorTerms") or ()
    )


def reserved(claim: Object, volumes: Iterable[Object]) -> Object | None:
    """The volume that somebody reserved for the claim, if it fits; one that names its uid comes first."""
    mine = [
        volume
        for volume in volumes
        if is_reserved_for(volume, claim) and not is_deleting(volume) and misfit(volume, claim) is None
    ]
    return min(
        mine, key=lambda v: (not v["spec"]["claimRef"].get("uid"), v["metadata"]["name"]), default=None
    )


def fitting(claim: Object, volumes: Iterable[Object]) -> list[Object]:
    """The volumes that are free and fit, the one that the claim should get first: the smallest, and of the same size
    one that can do no more than is asked for."""
    selector = of_label_selector(claim["spec"].get("selector")) if claim["spec"].get("selector") else None
    found = [
        volume
        for volume in volumes
        if not volume["spec"].get("claimRef")
        and phase_of(volume) == "Available"
        and not is_deleting(volume)
        and (selector is None or selector.matches(labels(volume)))
        and misfit(volume, claim) is None
    ]
    return sorted(
        found, key=lambda v: (size(v), len(v["spec"].get("accessModes") or ()), v["metadata"]["name"])
    )


def given_to(volume: Object, claim: Object) -> Object:
    """The volume, bound to the claim from its side: the first half of binding, and the one that decides."""
    before, meta = volume["spec"].get("claimRef"), claim["metadata"]
    ref = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }
    bound = {**volume, "spec": {**volume["spec"], "claimRef": ref}}
    if before:
        return bound
    noted = {**(volume["metadata"].get("annotations") or {}), BOUND_BY_CONTROLLER: "yes"}
    return with_meta(bound, annotations=noted)
