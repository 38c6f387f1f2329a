"""The name of a pod template: a short hash that is the same wherever and whenever it is computed.

Kubernetes hashes with FNV over Go's memory layout, which nothing else can repeat; clients rely on
the label `pod-template-hash` only being there and being equal for equal templates.
"""

from __future__ import annotations

from hashlib import blake2b

import orjson

from app.base.ids import SAFE
from app.objects.change import Object

LABEL = "pod-template-hash"
LENGTH = 10


def template_hash(template: Object, collisions: int = 0) -> str:
    """Ten letters that stand for `template`. `collisions` counts how often the name so far was taken
    by something else (`status.collisionCount`), and leads to another."""
    return short_hash((without_hash(template), collisions), LENGTH)


def short_hash(value: object, length: int) -> str:
    """`length` letters fit for a name, equal for what is equal as JSON."""
    digest = blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(length):
        number, position = divmod(number, len(SAFE))
        letters.append(SAFE[position])
    return "".join(letters)


def without_hash(template: Object) -> Object:
    """The template as the Deployment has it: without the label that a ReplicaSet's template adds."""
    meta = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (meta.pop("labels", None) or {}).items() if k != LABEL}
    if labels:
        meta["labels"] = labels
    meta = {k: v for k, v in meta.items() if v is not None}
    return {"metadata": meta, "spec": template.get("spec") or {}}


def same_template(one: Object, other: Object) -> bool:
    """Whether two pod templates make the same pods, whatever hash label they carry."""
    return without_hash(one) == without_hash(other)
