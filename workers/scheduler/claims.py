"""What a pod's claims ask of its node: where their volumes can be reached, or could be made.

A claim whose class waits for its first consumer is bound once a node is chosen here: a free volume that can be reached
from the node is reserved for it, or else the node is written on the claim, for its provisioner to make one there. The
pod gets its node when all of its claims are bound, in a later pass. A pod without claims has none of this.
https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode and
kubernetes/pkg/scheduler/framework/plugins/volumebinding for the words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.objects import volume_matching as matching
from app.objects.change import Object, ReadView, Write, key_of, update
from app.objects.meta import annotations_of, is_deleting, with_meta
from app.objects.persistent import (
    CLAIMS,
    CLASSES,
    NO_PROVISIONER,
    SELECTED_NODE,
    VOLUMES,
    claim_of,
    claims_of,
    class_of,
    is_bound,
    phase_of,
    waits_for_consumer,
)
from app.objects.provisioning import can_hold
from workers.scheduler.state import NodeState

AFFINITY = "node(s) had volume node affinity conflict"
NONE_TO_BIND = "node(s) didn't find available persistent volumes to bind"
IN_USE = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
ALONE = "ReadWriteOncePod"


@dataclass(slots=True)
class Promises:
    """What one pass has promised already: names of volumes, and for claims, by their keys, the node they will be on."""

    volumes: set[str] = field(default_factory=set)
    nodes: dict[str, str] = field(default_factory=dict)


class Storage:
    """The claims of one class of pods.

    Attributes:
        refusal: why such a pod can't go anywhere now. open: claims that wait for the pod's node.
    """

    def __init__(self, pod: Object, view: ReadView, promises: Promises) -> None:
        self.refusal: str | None = None
        self.open: list[Object] = []
        self._view, self._promises = view, promises
        self._bound: list[Object] = []
        self._alone: set[str] = set()
        self._offered: dict[str, tuple[Object | None, list[Object]]] = {}
        self._namespace = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or ():
            name = claim_of(pod, volume)
            if name:
                self.refusal = self.refusal or self._take(pod, name, bool(volume.get("ephemeral")))
        # The hardest to satisfy first.
        self.open.sort(key=lambda claim: -matching.asked(claim))

    def _take(self, pod: Object, name: str, own: bool) -> str | None:
        claim = self._view.get(CLAIMS, f"{self._namespace}/{name}")
        if claim is None:
            if own:
                return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            return f'persistentvolumeclaim "{name}" not found'
        if own and not any(r.get("uid") == pod["metadata"]["uid"] for r in _owners(claim)):
            return f"PVC {self._namespace}/{name} was not created for pod {self._namespace}/{pod['metadata']['name']} (pod is not owner)"
        volume_name = claim["spec"].get("volumeName") or ""
        if phase_of(claim) == "Lost":
            return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume_name}"'
        if is_deleting(claim):
            return f'persistentvolumeclaim "{name}" is being deleted'
        if ALONE in (claim["spec"].get("accessModes") or ()):
            self._alone.add(name)
        if is_bound(claim):
            volume = self._view.get(VOLUMES, volume_name)
            if volume is None:
                return (
                    f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume_name}"'
                )
            self._bound.append(volume)
        elif volume_name or not waits_for_consumer(self._view, claim):
            return UNBOUND
        else:
            self.open.append(claim)
        return None

    def in_use(self, pods: list[Object]) -> bool:
        """Whether one of the pods already there has a claim that only one pod may use."""
        return bool(self._alone) and any(
            pod["metadata"]["namespace"] == self._namespace and not self._alone.isdisjoint(claims_of(pod))
            for pod in pods
        )

    @property
    def for_one_pod(self) -> bool:
        return bool(self._alone)

    def refuse(self, node: NodeState) -> str | None:
        """Why the claims keep the pod off the node."""
        if any(not matching.reaches(volume, node.name, node.labels) for volume in self._bound):
            return AFFINITY
        return NONE_TO_BIND if self.open and self.choices(node) is None else None

    def choices(self, node: NodeState) -> list[Write] | None:
        """What makes the open claims be bound for this node; None if they can't be."""
        writes: list[Write] = []
        taken = set(self._promises.volumes)
        for claim in self.open:
            write = self._choice(claim, node, taken)
            if write is None:
                return None
            writes += write
        return writes

    def _choice(self, claim: Object, node: NodeState, taken: set[str]) -> list[Write] | None:
        selected = self._promises.nodes.get(key_of(claim)) or annotations_of(claim).get(SELECTED_NODE)
        if selected is not None:
            return [] if selected == node.name else None
        held, free = self._offers(claim)
        if held is not None:
            return [] if matching.reaches(held, node.name, node.labels) else None
        for volume in free:
            name = volume["metadata"]["name"]
            if name not in taken and matching.reaches(volume, node.name, node.labels):
                taken.add(name)
                return [update(VOLUMES, matching.given_to(volume, claim))]
        storage_class = self._view.get(CLASSES, class_of(claim)) or {}
        if storage_class["provisioner"] == NO_PROVISIONER or not can_hold(node.node, storage_class):
            return None
        noted = {**annotations_of(claim), SELECTED_NODE: node.name}
        return [update(CLAIMS, with_meta(claim, annotations=noted))]

    def _offers(self, claim: Object) -> tuple[Object | None, list[Object]]:
        """The volume reserved for the claim, and those that it could have: looked up once, not for every node."""
        found = self._offered.get(key_of(claim))
        if found is None:
            volumes = self._view.list(VOLUMES)
            found = (matching.reserved(claim, volumes), matching.fitting(claim, volumes))
            self._offered[key_of(claim)] = found
        return found

    def promise(self, node: NodeState) -> list[Write]:
        """`choices`, to which later pods of this pass have to keep."""
        writes = self.choices(node) or []
        self._promises.volumes.update(w.key for w in writes if w.resource == VOLUMES)
        self._promises.nodes.update((key_of(claim), node.name) for claim in self.open)
        return writes


def _owners(claim: Object) -> list[Object]:
    return claim["metadata"].get("ownerReferences") or []
