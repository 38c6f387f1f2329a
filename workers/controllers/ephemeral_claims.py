"""Generic ephemeral volumes: a pod's own claims, made from the pod and gone with it.

https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Change, Interest, Object, ReadView, Write, create
from app.objects.meta import controller_reference, is_deleting
from app.objects.persistent import CLAIMS, claim_of
from app.objects.pods import is_terminal
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

NAME = "ephemeral-volume-controller"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """The claims that a pod lacks."""
    pod = view.get("pods", key)
    if pod is None or is_deleting(pod) or is_terminal(pod):
        return NOTHING
    writes: list[Write] = []
    events: list[EventNote] = []
    for volume in _own(pod):
        name = claim_of(pod, volume)
        there = view.get(CLAIMS, f"{pod['metadata']['namespace']}/{name}")
        if there is None:
            writes.append(create(CLAIMS, _claim(pod, volume, name)))
        elif not is_pods_own(there, pod):
            text = (
                f"PVC {pod['metadata']['namespace']}/{name} was not created for pod {key} (pod is not owner)"
            )
            events.append(EventNote(pod, "ClaimConflict", text, "Warning"))
    return Plan(tuple(writes), tuple(events), reason=f"{len(writes)} claims" if writes else "")


def is_pods_own(claim: Object, pod: Object) -> bool:
    """Whether the claim was made for this very pod, and not for another of its name or by somebody."""
    return any(
        ref.get("controller") and ref.get("uid") == pod["metadata"]["uid"]
        for ref in claim["metadata"].get("ownerReferences") or ()
    )


def _own(pod: Object) -> list[Object]:
    return [v for v in pod["spec"].get("volumes") or () if v.get("ephemeral")]


def _claim(pod: Object, volume: Object, name: str) -> Object:
    template = volume["ephemeral"]["volumeClaimTemplate"]
    shape = template.get("metadata") or {}
    meta: Object = {k: shape[k] for k in ("labels", "annotations") if shape.get(k)}
    owner = controller_reference({"apiVersion": "v1", "kind": "Pod", **pod})
    meta |= {"name": name, "namespace": pod["metadata"]["namespace"], "ownerReferences": [owner]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": {"volumeMode": "Filesystem", **template["spec"]},
        "status": {"phase": "Pending"},
    }


def _of_pod(change: Change, view: ReadView) -> Iterable[str]:
    """A new pod with such volumes."""
    return (change.key,) if change.old is None and _own(change.new) else ()


def _of_claim(change: Change, view: ReadView) -> Iterable[str]:
    """A claim that went while its pod, or another of that name, is there."""
    if change.operation != "DELETED":
        return ()
    namespace = change.new["metadata"]["namespace"]
    refs = change.new["metadata"].get("ownerReferences") or ()
    return [f"{namespace}/{ref['name']}" for ref in refs if ref.get("kind") == "Pod"]


def _keys(view: ReadView) -> list[str]:
    return [f"{p['metadata']['namespace']}/{p['metadata']['name']}" for p in view.list("pods") if _own(p)]


ROLE = Role(NAME, plan, (Interest("pods", _of_pod), Interest(CLAIMS, _of_claim)), _keys)
