"""The PersistentVolumeClaims of a StatefulSet's pods: made from its templates, kept when pods go, and handed over to
the garbage collector where the retention policy says so.

Who is an owner, by the policy (whenDeleted, whenScaled): the set, if its deletion takes the claims along; the pod, if
it is one too many and scaling down takes them along. The claim of a pod that goes for any other reason stays, for the
next pod of that name.
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.objects.change import Object, ReadView, Write, create, update
from app.objects.meta import controller_reference, is_deleting, with_meta
from workers.controllers.stateful.identity import claim_name, ordinals, pod_name
from workers.reconcile.plan import EventNote

RESOURCE = "persistentvolumeclaims"


def of_pod(view: ReadView, stateful_set: Object, number: int) -> Iterator[tuple[Object, str, Object | None]]:
    """For each claim template: the template, the name of this pod's claim, and the claim if it is there."""
    namespace = stateful_set["metadata"]["namespace"]
    for template in stateful_set["spec"].get("volumeClaimTemplates") or ():
        name = claim_name(stateful_set, template, number)
        yield template, name, view.get(RESOURCE, f"{namespace}/{name}")


def are_stale(view: ReadView, stateful_set: Object, number: int) -> bool:
    """Whether a missing pod has to wait for claims of that name to go: they are marked for deletion, or follow a pod
    that is gone."""
    pod = ("v1", "Pod", pod_name(stateful_set, number))
    return any(
        claim is not None and (is_deleting(claim) or any(_place(ref) == pod for ref in _refs(claim)))
        for _, _, claim in of_pod(view, stateful_set, number)
    )


def missing(view: ReadView, stateful_set: Object, number: int) -> tuple[list[Write], list[EventNote]]:
    """The writes that make the claims that a pod lacks, and what there is to tell of them."""
    writes: list[Write] = []
    events: list[EventNote] = []
    for template, name, claim in of_pod(view, stateful_set, number):
        if claim is None:
            writes.append(create(RESOURCE, _new(stateful_set, template, name)))
            events.append(
                EventNote(
                    stateful_set,
                    "SuccessfulCreate",
                    f"create Claim {name} Pod {pod_name(stateful_set, number)} in StatefulSet "
                    f"{stateful_set['metadata']['name']} success",
                )
            )
    return writes, events


def _new(stateful_set: Object, template: Object, name: str) -> Object:
    shape = template["metadata"]
    own = {**(shape.get("labels") or {}), **(stateful_set["spec"]["selector"].get("matchLabels") or {})}
    meta: Object = {"name": name, "namespace": stateful_set["metadata"]["namespace"]}
    if own:
        meta["labels"] = own
    for field in ("annotations", "finalizers"):
        if shape.get(field):
            meta[field] = shape[field]
    if _deletes(stateful_set, "whenDeleted"):
        meta["ownerReferences"] = [controller_reference(stateful_set)]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": template.get("spec") or {},
        "status": {"phase": "Pending"},
    }


def owned_rightly(view: ReadView, stateful_set: Object, members: Iterable[tuple[int, Object]]) -> list[Write]:
    """The writes after which the claims of these pods have the owners that the policy gives them. A pod that is one
    too many may be deleted only when there are none, or its claims would stay."""
    return [
        update(RESOURCE, after)
        for number, pod in members
        for _, _, claim in of_pod(view, stateful_set, number)
        if claim is not None and not is_deleting(claim)
        if (after := _owned(stateful_set, pod, number, claim)) is not claim
    ]


def _owned(stateful_set: Object, pod: Object, number: int, claim: Object) -> Object:
    """The claim with the owners it should have; itself if it has them, or if others decide about it."""
    refs = _refs(claim)
    uids = {
        ("apps/v1", "StatefulSet", stateful_set["metadata"]["name"]): stateful_set["metadata"]["uid"],
        ("v1", "Pod", pod["metadata"]["name"]): pod["metadata"]["uid"],
    }
    if any(ref["uid"] != uids.get(_place(ref), ref["uid"]) for ref in refs):
        return claim  # of an earlier set or pod of that name: the garbage collector's
    others = [ref for ref in refs if _place(ref) not in uids]
    owner = None if any(ref.get("controller") for ref in others) else _owner(stateful_set, pod, number)
    wanted = [*others, controller_reference(owner)] if owner is not None else others
    return claim if wanted == refs else with_meta(claim, ownerReferences=wanted or None)


def _owner(stateful_set: Object, pod: Object, number: int) -> Object | None:
    if _deletes(stateful_set, "whenScaled") and number not in ordinals(stateful_set):
        return pod
    return stateful_set if _deletes(stateful_set, "whenDeleted") else None


def _deletes(stateful_set: Object, when: str) -> bool:
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get(when) == "Delete"


def _refs(claim: Object) -> list[Object]:
    refs: list[Object] = claim["metadata"].get("ownerReferences") or []
    return refs


def _place(ref: Object) -> tuple[str, str, str]:
    return ref.get("apiVersion", ""), ref.get("kind", ""), ref.get("name", "")
