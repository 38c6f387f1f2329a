"""What admission holds by a finalizer is let go once nothing uses it: a claim when no pod mounts it, a volume when
no claim is bound to it.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Change, Interest, Object, ReadView, split_key, update
from app.objects.meta import is_deleting, with_meta
from app.objects.persistent import CLAIMS, VOLUMES, claims_of
from app.objects.pods import is_terminal
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


def plan_claim(view: ReadView, key: str, now: float) -> Plan:
    """Let a claim that is to go do so, unless a pod that has not finished mounts it."""
    claim = view.get(CLAIMS, key)
    if claim is None or not is_deleting(claim):
        return NOTHING
    namespace, name = split_key(key)
    if any(name in claims_of(pod) for pod in view.list("pods", namespace) if _holds(pod)):
        return NOTHING
    return _released(CLAIMS, claim, CLAIM_FINALIZER)


def _holds(pod: Object) -> bool:
    """Whether what a pod mounts is in use. Without a node it is not, and would be for ever: the scheduler gives none to
    a pod whose claim is being deleted (`podUsesPVC` in kubernetes/pkg/controller/volume/pvcprotection)."""
    return bool(pod["spec"].get("nodeName")) and not is_terminal(pod)


def plan_volume(view: ReadView, key: str, now: float) -> Plan:
    """Let a volume that is to go do so, unless it is bound."""
    volume = view.get(VOLUMES, key)
    if volume is None or not is_deleting(volume) or (volume.get("status") or {}).get("phase") == "Bound":
        return NOTHING
    return _released(VOLUMES, volume, VOLUME_FINALIZER)


def _released(resource: str, obj: Object, finalizer: str) -> Plan:
    finalizers = list(obj["metadata"].get("finalizers") or ())
    if finalizer not in finalizers:
        return NOTHING
    kept = [each for each in finalizers if each != finalizer]
    return Plan(
        (update(resource, with_meta(obj, finalizers=kept or None)),), reason="nothing uses it any more"
    )


def _mounted(change: Change, view: ReadView) -> Iterable[str]:
    """The claims of a pod that finished or went, if they are waiting for that."""
    if not view.keys(CLAIMS, split_key(change.key)[0]):
        return ()
    namespace = split_key(change.key)[0]
    keys = [f"{namespace}/{name}" for name in claims_of(change.new)]
    return [key for key in keys if is_deleting(view.get(CLAIMS, key) or {"metadata": {}})]


CLAIM_ROLE = Role(
    "pvc-protection-controller",
    plan_claim,
    (itself(CLAIMS), Interest("pods", _mounted)),
    lambda view: view.keys(CLAIMS),
)
VOLUME_ROLE = Role(
    "pv-protection-controller", plan_volume, (itself(VOLUMES),), lambda view: view.keys(VOLUMES)
)
