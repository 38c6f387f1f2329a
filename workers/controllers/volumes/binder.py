"""Claims and the volumes that they get.

Binding takes two commits, and the order makes it safe to stop in between. First the volume names the claim, with its
uid: the volume's revision lets one claim win. Then the claim names the volume. A claim that was stopped half way finds
the volume that names it before it looks at any other.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding, and
kubernetes/pkg/controller/volume/persistentvolume for the words.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import volume_matching as matching
from app.objects.change import Change, Interest, Object, ReadView, split_key, update
from app.objects.meta import annotations_of, is_deleting, with_meta
from app.objects.persistent import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    CLAIMS,
    CLASSES,
    NO_PROVISIONER,
    OURS,
    PROVISIONED_BY,
    PROVISIONER,
    PROVISIONER_BETA,
    SELECTED_NODE,
    VOLUMES,
    claim_key,
    class_of,
    default_class,
    is_bound,
    names_class,
    phase_of,
    waits_for_consumer,
)
from workers.controllers.interests import itself, states
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

NAME = "persistentvolume-controller"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """The next step for one claim: find it a volume, bind the two, or say what it lost."""
    claim = view.get(CLAIMS, key)
    if claim is None:
        return NOTHING
    if BIND_COMPLETED in annotations_of(claim):
        return _keep(view, claim)
    if is_deleting(claim):
        return NOTHING
    wanted = claim["spec"].get("volumeName")
    return _bind_wanted(view, claim, wanted) if wanted else _find(view, claim)


def _find(view: ReadView, claim: Object) -> Plan:
    volumes = view.list(VOLUMES)
    volume = matching.reserved(claim, volumes)
    waits = waits_for_consumer(view, claim)
    if volume is None and not waits:
        volume = next(iter(matching.fitting(claim, volumes)), None)
    if volume is not None:
        return _bind(claim, volume)
    if not names_class(claim):
        name = default_class(view.list(CLASSES))
        if name is not None:
            spec = {**claim["spec"], "storageClassName": name}
            return Plan((update(CLAIMS, {**claim, "spec": spec}),), reason="a default class came up")
    if not class_of(claim):
        text = "no persistent volumes available for this claim and no storage class is set"
        return Plan(events=(EventNote(claim, "FailedBinding", text),))
    if waits and SELECTED_NODE not in annotations_of(claim):
        text = "waiting for first consumer to be created before binding"
        return Plan(events=(EventNote(claim, "WaitForFirstConsumer", text),))
    return _hand_over(view, claim)


def _hand_over(view: ReadView, claim: Object) -> Plan:
    """Say who is to make a volume. Ours come from `local_provisioner`."""
    name = class_of(claim)
    found = view.get(CLASSES, name)
    if found is None:
        text = f'storageclass.storage.k8s.io "{name}" not found'
        return Plan(events=(EventNote(claim, "ProvisioningFailed", text, "Warning"),))
    provisioner = str(found["provisioner"])
    if provisioner == NO_PROVISIONER:
        text = "no persistent volumes available for this claim, and its class has no provisioner"
        return Plan(events=(EventNote(claim, "FailedBinding", text),))
    events: tuple[EventNote, ...] = ()
    if provisioner not in OURS:
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
            "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
            "correctly registered."
        )
        events = (EventNote(claim, "ExternalProvisioning", text),)
    named = dict.fromkeys((PROVISIONER, PROVISIONER_BETA), provisioner)
    if named.items() <= annotations_of(claim).items():
        return Plan(events=events)
    asked = with_meta(claim, annotations={**annotations_of(claim), **named})
    return Plan((update(CLAIMS, asked),), events, reason=f"{provisioner} is to make a volume")


def _bind_wanted(view: ReadView, claim: Object, name: str) -> Plan:
    """The claim names its volume: because somebody wants that one, or because binding was stopped half way."""
    volume = view.get(VOLUMES, name)
    if volume is None or is_deleting(volume):
        return NOTHING  # woken when there is one
    ref = volume["spec"].get("claimRef")
    if ref and not matching.is_reserved_for(volume, claim):
        text = f'volume "{name}" already bound to a different claim.'
        return Plan(events=(EventNote(claim, "FailedBinding", text, "Warning"),))
    wrong = matching.misfit(volume, claim)
    if wrong:
        text = f'Cannot bind to requested volume "{name}": {wrong}'
        return Plan(events=(EventNote(claim, "VolumeMismatch", text, "Warning"),))
    return _bind(claim, volume)


def _bind(claim: Object, volume: Object) -> Plan:
    """The next of the two steps."""
    name = volume["metadata"]["name"]
    if (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
        return Plan((update(VOLUMES, matching.given_to(volume, claim)),), reason=f"{name} fits")
    noted = {**annotations_of(claim), BIND_COMPLETED: "yes"}
    if not claim["spec"].get("volumeName"):
        noted[BOUND_BY_CONTROLLER] = "yes"
    spec = {**claim["spec"], "volumeName": name}
    bound = with_meta({**claim, "spec": spec}, annotations=noted)
    bound["status"] = {**(claim.get("status") or {}), **_facts(volume)}
    return Plan((update(CLAIMS, bound),), reason=f"bound to {name}")


def _keep(view: ReadView, claim: Object) -> Plan:
    """A claim that was bound: it still is, or it has lost its volume, or it has outgrown it."""
    name = claim["spec"].get("volumeName")
    volume = view.get(VOLUMES, name) if name else None
    if not name:
        return _lost(
            claim,
            "ClaimLost",
            "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
        )
    if volume is None:
        return _lost(
            claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        )
    ref = volume["spec"].get("claimRef")
    if ref and ref.get("uid") and ref["uid"] != claim["metadata"]["uid"]:
        text = "Two claims are bound to the same volume, this one is bound incorrectly"
        return _lost(claim, "ClaimMisbound", text)
    if not (ref or {}).get("uid") and not is_deleting(volume):
        return Plan(
            (update(VOLUMES, matching.given_to(volume, claim)),), reason="the volume had lost its claim"
        )
    if _may_grow(view, claim, volume):
        size = claim["spec"]["resources"]["requests"]["storage"]
        grown = {**volume, "spec": {**volume["spec"], "capacity": {"storage": size}}}
        text = f"volume {name} is being resized to {size}"
        return Plan((update(VOLUMES, grown),), (EventNote(claim, "Resizing", text),), reason="it grows")
    status = {**(claim.get("status") or {}), **_facts(volume)}
    if status == claim.get("status"):
        return NOTHING
    grew = phase_of(claim) == "Bound" and status["capacity"] != (claim["status"].get("capacity") or {})
    done = EventNote(
        claim, "VolumeResizeSuccessful", f"Resize volume succeeded: {status['capacity'].get('storage')}"
    )
    return Plan((update(CLAIMS, {**claim, "status": status}),), (done,) if grew else ())


def _may_grow(view: ReadView, claim: Object, volume: Object) -> bool:
    """A folder has no size of its own, so a volume of ours grows by saying so."""
    found = view.get(CLASSES, class_of(claim))
    return (
        found is not None
        and bool(found.get("allowVolumeExpansion"))
        and annotations_of(volume).get(PROVISIONED_BY) in OURS
        and matching.size(volume) < matching.asked(claim)
    )


def _facts(volume: Object) -> Object:
    spec = volume["spec"]
    return {
        "phase": "Bound",
        "accessModes": list(spec.get("accessModes") or ()),
        "capacity": dict(spec.get("capacity") or {}),
    }


def _lost(claim: Object, reason: str, text: str) -> Plan:
    if phase_of(claim) == "Lost":
        return NOTHING
    status = {**(claim.get("status") or {}), "phase": "Lost"}
    return Plan(
        (update(CLAIMS, {**claim, "status": status}),),
        (EventNote(claim, reason, text, "Warning"),),
        None,
        reason,
    )


def _of_volume(change: Change, view: ReadView) -> Iterable[str]:
    """The claim that a volume is or was meant for; of a free one, all claims that it might be for."""
    keys = {claim_key(state) for state in states(change)} - {""}
    name = split_key(change.key)[1]
    if not claim_key(change.new):
        kind = class_of(change.new)
        for key in view.keys(CLAIMS):
            claim = view.get(CLAIMS, key)
            if claim is not None and not is_bound(claim):
                wanted = claim["spec"].get("volumeName")
                if wanted == name or (not wanted and class_of(claim) == kind):
                    keys.add(key)
    return keys


def _of_class(change: Change, view: ReadView) -> Iterable[str]:
    """The claims that wait for a class."""
    name = change.new["metadata"]["name"]
    return [
        key
        for key in view.keys(CLAIMS)
        if (claim := view.get(CLAIMS, key)) is not None
        and (class_of(claim) == name or not names_class(claim))
    ]


ROLE = Role(
    NAME,
    plan,
    (itself(CLAIMS), Interest(VOLUMES, _of_volume), Interest(CLASSES, _of_class)),
    lambda view: view.keys(CLAIMS),
)
