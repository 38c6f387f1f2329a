"""Persistent volumes and claims: the words by which all who deal with them know each other.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/ and
https://kubernetes.io/docs/reference/labels-annotations-taints/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object, ReadView
from app.objects.meta import annotations_of, is_deleting

CLAIMS = "persistentvolumeclaims"
VOLUMES = "persistentvolumes"
CLASSES = "storageclasses.storage.k8s.io"

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
PROVISIONER_BETA = "volume.beta.kubernetes.io/storage-provisioner"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
# How a claim or a volume named its class before there was a field for it.
CLASS_BETA = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_CLASS_BETA = "storageclass.beta.kubernetes.io/is-default-class"

# Beanpole's own provisioners: folders of nodes, and volumes of Docker's volume plugins.
LOCAL = "beanpole.dev/local"
DOCKER = "docker.beanpole.dev"
OURS = (LOCAL, DOCKER)
# Held by a volume of ours until a node's agent has removed its data.
FINALIZER = "beanpole.dev/volume-data"
# On a volume: the node whose agent removes its data. On a node: the folder below which its volumes lie.
HOLDER = "beanpole.dev/node"
FOLDER = "beanpole.dev/volumes"


def class_of(obj: Object) -> str:
    """The storage class of a claim or a volume; empty if it has none."""
    beta = annotations_of(obj).get(CLASS_BETA)
    return str(beta if beta is not None else (obj.get("spec") or {}).get("storageClassName") or "")


def names_class(claim: Object) -> bool:
    """Whether a claim says anything of its class, be it that it wants none."""
    return (claim.get("spec") or {}).get("storageClassName") is not None or CLASS_BETA in annotations_of(
        claim
    )


def default_class(classes: Iterable[Object]) -> str | None:
    """The class that claims get which name none: of those marked so the newest, of several such the first by name."""
    marked = [
        each
        for each in classes
        if "true" in (annotations_of(each).get(DEFAULT_CLASS), annotations_of(each).get(DEFAULT_CLASS_BETA))
    ]
    if not marked:
        return None
    newest = max(each["metadata"].get("creationTimestamp") or "" for each in marked)
    return min(
        str(each["metadata"]["name"])
        for each in marked
        if (each["metadata"].get("creationTimestamp") or "") == newest
    )


def waits_for_consumer(view: ReadView, claim: Object) -> bool:
    """Whether a claim is bound only once a pod that uses it has been given a node."""
    found = view.get(CLASSES, class_of(claim))
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def claims_of(pod: Object) -> list[str]:
    """Names of the claims that a pod mounts, in the order of its volumes; an ephemeral volume's is named after pod
    and volume."""
    found: dict[str, None] = {}
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        name = claim_of(pod, volume)
        if name:
            found[name] = None
    return list(found)


def claim_of(pod: Object, volume: Object) -> str:
    """The name of the claim behind one volume of a pod; empty if there is none."""
    named = volume.get("persistentVolumeClaim")
    if named:
        return str(named.get("claimName") or "")
    return f"{pod['metadata'].get('name', '')}-{volume['name']}" if volume.get("ephemeral") else ""


def claim_key(volume: Object) -> str:
    """The key of the claim that a volume is bound to, or meant for; empty if there is none."""
    ref = (volume.get("spec") or {}).get("claimRef")
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else ""


def is_bound(claim: Object) -> bool:
    """Whether claim and volume have found each other for good."""
    return BIND_COMPLETED in annotations_of(claim) and bool((claim.get("spec") or {}).get("volumeName"))


def phase_of(obj: Object) -> str:
    return str((obj.get("status") or {}).get("phase") or "Pending")


def holder_of(volume: Object) -> str:
    """The node whose agent looks after the data of a volume of ours."""
    affinity = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required") or {}
    for term in affinity.get("nodeSelectorTerms") or ():
        for expression in term.get("matchExpressions") or ():
            values = expression.get("values") or []
            if expression.get("key") == "kubernetes.io/hostname" and len(values) == 1:
                return str(values[0])
    return annotations_of(volume).get(HOLDER, "")


def is_to_be_emptied(volume: Object, node: str) -> bool:
    """Whether the agent of `node` is to remove the volume's data: it is ours, marked for deletion, nobody's any more,
    and its policy says so."""
    return (
        is_deleting(volume)
        and FINALIZER in (volume["metadata"].get("finalizers") or ())
        and phase_of(volume) != "Bound"
        and (volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain") == "Delete"
        and holder_of(volume) == node
    )
