"""What stands in the API for the pods of a node's files, and what is to be done so that it does. Pure.

A mirror pod has the name, labels and spec of the static pod, and its hash; it belongs to the Node. Deleting it ends
nothing: another one is made. https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from app.objects.change import Object
from app.objects.pods import MIRROR
from workers.agent.pod import HASH

FINISHED = ("Succeeded", "Failed")


class Todo(NamedTuple):
    """Mirrors to make, as the static pods that lack one; and mirrors to delete."""

    make: list[Object]
    delete: list[Object]


def is_mirror(pod: Object) -> bool:
    return MIRROR in (pod["metadata"].get("annotations") or {})


def mirror(pod: Object, node_uid: str) -> Object:
    """What is to stand for a static pod."""
    meta = pod["metadata"]
    notes = meta["annotations"]
    owner = {
        "apiVersion": "v1",
        "kind": "Node",
        "name": pod["spec"]["nodeName"],
        "uid": node_uid,
        "controller": True,
    }
    made: Object = {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "annotations": {**notes, MIRROR: notes[HASH]},
        "ownerReferences": [owner],
    }
    if meta.get("labels"):
        made["labels"] = meta["labels"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": pod["spec"]}


def stands_for(mirrored: Object, pod: Object) -> bool:
    """Whether the mirror is that of just this pod."""
    own, its = mirrored["metadata"], pod["metadata"]
    return bool(
        name(mirrored) == name(pod) and own["annotations"].get(MIRROR) == its["annotations"].get(HASH)
    )


def todo(pods: Collection[Object], mirrors: Collection[Object]) -> Todo:
    """What to do so that every static pod has its mirror, and nothing else one.

    A mirror that is marked for deletion goes, and comes again. So does one that ended, if its pod runs on: a finished
    pod stays finished.
    """
    by_name: Mapping[str, Object] = {name(pod): pod for pod in pods}
    kept: set[str] = set()
    delete = []
    for each in mirrors:
        pod = by_name.get(name(each))
        outdated = pod is None or not stands_for(each, pod) or each["metadata"].get("deletionTimestamp")
        if outdated or (_is_over(each) and pod is not None and not _is_over(pod)):
            delete.append(each)
        kept.add(name(each))
    return Todo([pod for key, pod in by_name.items() if key not in kept], delete)


def name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _is_over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in FINISHED
