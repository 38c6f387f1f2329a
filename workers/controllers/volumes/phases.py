"""What a volume is: free, bound, or left by its claim; and what becomes of it then.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
"""

from __future__ import annotations

from collections.abc import Iterable

from app.base.clock import rfc3339
from app.objects import deletion
from app.objects.change import Change, Interest, Object, ReadView, update
from app.objects.meta import annotations_of, is_deleting, with_meta
from app.objects.persistent import (
    BOUND_BY_CONTROLLER,
    CLAIMS,
    FINALIZER,
    OURS,
    PROVISIONED_BY,
    VOLUMES,
    claim_key,
    holder_of,
    is_bound,
    phase_of,
)
from workers.controllers.interests import itself, states
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

NAME = "persistentvolume-reclaimer"
NODES = "nodes"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """The next step for one volume."""
    volume = view.get(VOLUMES, key)
    if volume is None:
        return NOTHING
    ref = volume["spec"].get("claimRef")
    if not ref or not ref.get("uid"):
        return _reclaim(view, volume, now) if is_deleting(volume) else _into(volume, "Available", now)
    claim = view.get(CLAIMS, claim_key(volume))
    if claim is None or claim["metadata"]["uid"] != ref["uid"]:
        return _left(view, volume, now)
    wanted = claim["spec"].get("volumeName")
    if wanted == key:
        return _into(volume, "Bound", now) if is_bound(claim) else NOTHING
    if not wanted:
        return NOTHING  # the claim comes next
    if annotations_of(volume).get(PROVISIONED_BY):
        return _left(view, volume, now)  # made for a claim that took another
    return _unbound(volume)


def _left(view: ReadView, volume: Object, now: float) -> Plan:
    """Its claim is gone. A volume that the claim was never told of is free as before."""
    fresh = phase_of(volume) in ("Pending", "Available")
    if fresh and not annotations_of(volume).get(PROVISIONED_BY) and not is_deleting(volume):
        return _unbound(volume)
    if phase_of(volume) not in ("Released", "Failed"):
        return _into(volume, "Released", now)
    return _reclaim(view, volume, now)


def _unbound(volume: Object) -> Plan:
    """Free again: for anybody, or for whom somebody reserved it by name."""
    noted = dict(annotations_of(volume))
    spec = dict(volume["spec"])
    if noted.pop(BOUND_BY_CONTROLLER, None):
        del spec["claimRef"]
    else:
        spec["claimRef"] = {k: v for k, v in spec["claimRef"].items() if k not in ("uid", "resourceVersion")}
    free = with_meta({**volume, "spec": spec}, annotations=noted or None)
    return Plan((update(VOLUMES, free),), reason="its claim never had it")


def _reclaim(view: ReadView, volume: Object, now: float) -> Plan:
    policy = volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain"
    if policy == "Retain":
        return _let_go(volume, "its data is kept") if is_deleting(volume) else NOTHING
    if policy == "Recycle":
        return _failed(
            volume, now, "VolumeFailedRecycle", "recycling is not supported; use the policy Delete or Retain"
        )
    by = annotations_of(volume).get(PROVISIONED_BY)
    if by in OURS:
        return _delete(view, volume, now)
    if by or is_deleting(volume):
        return NOTHING  # its own provisioner's to do
    text = f'error getting deleter volume plugin for volume "{volume["metadata"]["name"]}": no deletable volume plugin matched'
    return _failed(volume, now, "VolumeFailedDelete", text)


def _delete(view: ReadView, volume: Object, now: float) -> Plan:
    """Mark it; the agent of its node removes the data and lets the volume go."""
    if not is_deleting(volume):
        write = deletion.removal(VOLUMES, volume, now)
        return Plan((write,) if write else (), reason="nobody's any more, and to be deleted")
    if (
        FINALIZER not in (volume["metadata"].get("finalizers") or ())
        or view.get(NODES, holder_of(volume)) is not None
    ):
        return NOTHING
    return _let_go(volume, "its node is gone, and the data with it")


def _let_go(volume: Object, why: str) -> Plan:
    held = list(volume["metadata"].get("finalizers") or ())
    if FINALIZER not in held:
        return NOTHING
    left = [each for each in held if each != FINALIZER]
    return Plan((update(VOLUMES, with_meta(volume, finalizers=left or None)),), reason=why)


def _failed(volume: Object, now: float, reason: str, text: str) -> Plan:
    if phase_of(volume) == "Failed":
        return NOTHING
    return _into(volume, "Failed", now, text, (EventNote(volume, reason, text, "Warning"),))


def _into(
    volume: Object, phase: str, now: float, message: str = "", events: tuple[EventNote, ...] = ()
) -> Plan:
    status = volume.get("status") or {}
    if status.get("phase") == phase:
        return NOTHING
    fresh = {"phase": phase, "lastPhaseTransitionTime": rfc3339(now)}
    if message:
        fresh["message"] = message
    return Plan((update(VOLUMES, {**volume, "status": fresh}),), events, reason=phase)


def _of_claim(change: Change, view: ReadView) -> Iterable[str]:
    """The volumes that a claim names or named; once it names another or is gone, all that name the claim."""
    named = [str(state["spec"].get("volumeName") or "") for state in states(change)]
    keys = set(named) - {""}
    if change.operation == "DELETED" or named[0] != named[-1]:
        keys |= {
            str(volume["metadata"]["name"])
            for volume in view.list(VOLUMES)
            if claim_key(volume) == change.key
        }
    return keys


def _of_node(change: Change, view: ReadView) -> Iterable[str]:
    """What is to be deleted on a node that went."""
    if change.operation != "DELETED":
        return ()
    return [
        str(volume["metadata"]["name"])
        for volume in view.list(VOLUMES)
        if is_deleting(volume) and holder_of(volume) == change.key
    ]


ROLE = Role(
    NAME,
    plan,
    (itself(VOLUMES), Interest(CLAIMS, _of_claim), Interest(NODES, _of_node)),
    lambda view: view.keys(VOLUMES),
)
