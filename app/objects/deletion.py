"""What deleting an object means: at once, gracefully, or once its finalizers are done.

Kubernetes: https://kubernetes.io/docs/concepts/architecture/garbage-collection/ and
https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from __future__ import annotations

from typing import Literal

from app.base.clock import parse_rfc3339, rfc3339
from app.objects.change import Object, Write, delete, update
from app.objects.claims import claims_of
from app.objects.meta import with_meta

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
# What keeps a definition until the objects of its kind are gone.
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
DEFAULT_GRACE_SECONDS = 30
# The longest duration that Go knows, 292 years: beyond it lie dates that can't be written. Seconds.
LONGEST_GRACE_SECONDS = 2**63 // 10**9

Propagation = Literal["Background", "Foreground", "Orphan"]


def removal(
    resource: str,
    obj: Object,
    now: float,
    *,
    grace: int | None = None,
    propagation: Propagation = "Background",
    releases: tuple[str, ...] | None = None,
) -> Write | None:
    """The write that deletes `obj`, or None if its deletion is under way and nothing changes.

    - A pod that is bound and has not finished gets `grace` seconds (its own
      terminationGracePeriodSeconds by default): its deletion is marked, and its node's agent removes
      it for good once the containers are gone. A second deletion may only shorten the time.
    - Foreground and Orphan add their finalizer, for the garbage collector to act on.
    - An object with finalizers is marked and goes when the last is removed.
    - A namespace is marked, and goes when the namespace controller has emptied `spec.finalizers`.
    - A CustomResourceDefinition waits for its objects: its deletion is marked with a finalizer of its own.
    - Everything else goes at once, giving up `releases` (by default all that it claims).
    """
    meta = obj["metadata"]
    finalizers = list(meta.get("finalizers") or ())
    if propagation == "Orphan" and ORPHAN not in finalizers:
        finalizers = [f for f in finalizers if f != FOREGROUND] + [ORPHAN]
    elif propagation == "Foreground" and FOREGROUND not in finalizers:
        finalizers = [f for f in finalizers if f != ORPHAN] + [FOREGROUND]
    if resource == DEFINITIONS and CLEANUP not in finalizers and not meta.get("deletionTimestamp"):
        finalizers.append(CLEANUP)
    seconds = grace_seconds(resource, obj, grace)
    if not finalizers and seconds == 0 and not content_remains(resource, obj):
        held = claims_of(resource, obj) if releases is None else releases
        return delete(resource, obj, releases=held)

    marked = bool(meta.get("deletionTimestamp"))
    shorter = marked and seconds < int(meta.get("deletionGracePeriodSeconds") or 0)
    if marked and not shorter and finalizers == list(meta.get("finalizers") or ()):
        return None
    changes: dict[str, object] = {"finalizers": finalizers or None}
    if not marked:
        changes["deletionTimestamp"] = rfc3339(now + seconds)
        changes["deletionGracePeriodSeconds"] = seconds
        if meta.get("generation") is not None:
            changes["generation"] = meta["generation"] + 1
    elif shorter:
        asked_at = parse_rfc3339(meta["deletionTimestamp"]) - meta["deletionGracePeriodSeconds"]
        changes["deletionTimestamp"] = rfc3339(max(now, asked_at + seconds))
        changes["deletionGracePeriodSeconds"] = seconds
    marked_obj = with_meta(obj, **changes)
    if resource == "namespaces":
        marked_obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    return update(resource, marked_obj)


def content_remains(resource: str, obj: Object) -> bool:
    """Whether it is a namespace that its controller has not emptied yet: `spec.finalizers` says so."""
    return resource == "namespaces" and bool((obj.get("spec") or {}).get("finalizers"))


def grace_seconds(resource: str, obj: Object, asked: int | None) -> int:
    """How long the object has to end. Only a pod whose containers may be running gets any."""
    if resource != "pods" or not obj.get("spec", {}).get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if asked is not None:
        return min(max(asked, 0), LONGEST_GRACE_SECONDS)
    own = obj["spec"].get("terminationGracePeriodSeconds")
    return DEFAULT_GRACE_SECONDS if own is None else min(max(int(own), 0), LONGEST_GRACE_SECONDS)


def is_over(resource: str, obj: Object) -> bool:
    """Whether an object marked for deletion may go for good: no finalizer is left and, for a pod, no
    time is left either. An update that leaves an object so must remove it instead."""
    meta = obj["metadata"]
    return bool(
        meta.get("deletionTimestamp")
        and not meta.get("finalizers")
        and not int(meta.get("deletionGracePeriodSeconds") or 0)
        and not content_remains(resource, obj)
    )
