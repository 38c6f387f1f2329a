"""`metadata`: completing a new object's, generation, owners, labels, annotations."""

from __future__ import annotations

from app.base.clock import rfc3339
from app.base.ids import Ids
from app.objects.change import Object

# Kubernetes allows 63 characters in most names; a generated suffix takes 5 of them.
GENERATED_BASE_MAX = 58


def complete(obj: Object, now: float, ids: Ids) -> Object:
    """A new object as it is created: name drawn after generateName, uid, creationTimestamp and
    generation 1 where the kind has a spec. What a client may not set is overwritten."""
    meta = dict(obj.get("metadata") or {})
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta["generateName"][:GENERATED_BASE_MAX] + ids.suffix()
    meta["uid"] = ids.uid()
    meta["creationTimestamp"] = rfc3339(now)
    for key in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
        meta.pop(key, None)
    if "spec" in obj:
        meta["generation"] = 1
    return {**obj, "metadata": meta}


def with_generation(old: Object, new: Object, besides: frozenset[str] | None = None) -> Object:
    """`new` with `metadata.generation` one higher than `old`'s if the spec differs, else the same
    (API conventions: generation counts changes of the desired state). With `besides`: if anything differs but these
    fields."""
    generation = old["metadata"].get("generation")
    if generation is None:
        return new
    if besides is None:
        differs = old.get("spec") != new.get("spec")
    else:
        differs = any(old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - besides)
    if differs:
        generation += 1
    if new["metadata"].get("generation") == generation:
        return new
    return {**new, "metadata": {**new["metadata"], "generation": generation}}


def with_meta(obj: Object, **changes: object) -> Object:
    """A copy of `obj` with fields of its metadata set; a value of None removes the field."""
    meta = {**obj["metadata"], **changes}
    return {**obj, "metadata": {k: v for k, v in meta.items() if v is not None}}


def labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def uid(obj: Object) -> str:
    return str(obj["metadata"]["uid"])


def is_deleting(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def controller_of(obj: Object) -> Object | None:
    """The ownerReference with `controller: true`, of which there is at most one."""
    for ref in obj["metadata"].get("ownerReferences") or ():
        if ref.get("controller"):
            return dict(ref)
    return None


def controller_reference(owner: Object) -> Object:
    """The ownerReference by which `owner` controls what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
