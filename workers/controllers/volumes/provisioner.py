"""Beanpole's own provisioners: a claim whose class names one gets a volume made for it.

`beanpole.dev/local` makes folders, each on the node that the scheduler chose for the first pod. `docker.beanpole.dev`
makes volumes of Docker's volume plugins, as the class's parameters say (`docker_volume_class`). Here only the object is
made; the agent of the node makes what it speaks of when a pod first mounts it.
https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import conditions
from app.objects.change import Change, Interest, Object, ReadView, create, update
from app.objects.meta import annotations_of, is_deleting, labels, with_meta
from app.objects.persistent import (
    BIND_COMPLETED,
    CLAIMS,
    CLASSES,
    DOCKER,
    FINALIZER,
    FOLDER,
    HOLDER,
    LOCAL,
    OURS,
    PROVISIONED_BY,
    PROVISIONER,
    SELECTED_NODE,
    VOLUMES,
    class_of,
    holder_of,
    waits_for_consumer,
)
from app.objects.provisioning import can_hold
from workers.controllers import docker_volume_class
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

NAME = "volume-provisioner"
NODES = "nodes"
HOSTNAME = "kubernetes.io/hostname"
# How soon a claim is looked at again for which no node can make a volume now. Seconds.
AGAIN = 10.0
# A folder is on one node.
OF_ONE_NODE = ("ReadWriteOnce", "ReadWriteOncePod")


class Refused(Exception):
    """The claim asks for what can't be made; the message says what."""


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Make the volume of one claim, once the binder has asked for it and, where the class waits, the scheduler has
    chosen a node. Its name follows from the claim's uid, so there is never a second one."""
    claim = view.get(CLAIMS, key)
    if claim is None or is_deleting(claim) or claim["spec"].get("volumeName"):
        return NOTHING
    noted = annotations_of(claim)
    found = view.get(CLASSES, class_of(claim))
    if found is None or found["provisioner"] not in OURS or noted.get(PROVISIONER) != found["provisioner"]:
        return NOTHING
    selected = noted.get(SELECTED_NODE)
    name = f"pvc-{claim['metadata']['uid']}"
    waits = waits_for_consumer(view, claim) and not selected
    if waits or BIND_COMPLETED in noted or view.get(VOLUMES, name) is not None:
        return NOTHING
    node = view.get(NODES, selected) if selected else _pick(view, found)
    if node is None or not can_hold(node, found):
        return _elsewhere(claim, selected)
    try:
        source = _source(claim, found, node, name)
    except Refused as exc:
        text = f'failed to provision volume with StorageClass "{class_of(claim)}": {exc}'
        return Plan(events=(EventNote(claim, "ProvisioningFailed", text, "Warning"),))
    events = (
        EventNote(claim, "Provisioning", f'Provisioner is making a volume for claim "{key}"'),
        EventNote(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}"),
    )
    return Plan(
        (create(VOLUMES, _volume(claim, found, node, name, source)),), events, reason=f"{key} has none"
    )


def _elsewhere(claim: Object, selected: str | None) -> Plan:
    if not selected:
        text = "no node is ready to hold a volume"
        return Plan((), (EventNote(claim, "ProvisioningFailed", text, "Warning"),), AGAIN)
    kept = {k: v for k, v in annotations_of(claim).items() if k != SELECTED_NODE}
    text = f"node {selected} can't hold a volume; another one is looked for"
    return Plan(
        (update(CLAIMS, with_meta(claim, annotations=kept)),),
        (EventNote(claim, "ProvisioningFailed", text, "Warning"),),
        reason="the selected node is gone",
    )


def _pick(view: ReadView, storage_class: Object) -> Object | None:
    """For a class that does not wait: of the nodes that can, the one with the fewest volumes of ours."""
    able = [
        node
        for node in view.list(NODES)
        if conditions.is_true(node, "Ready")
        and not node["spec"].get("unschedulable")
        and can_hold(node, storage_class)
    ]
    held = [holder_of(volume) for volume in view.list(VOLUMES)]
    return min(able, key=lambda n: (held.count(n["metadata"]["name"]), n["metadata"]["name"]), default=None)


def _source(claim: Object, storage_class: Object, node: Object, name: str) -> Object:
    """What of a volume's spec depends on the provisioner. Raises Refused."""
    if claim["spec"].get("selector"):
        raise Refused("claim Selector is not supported")
    if claim["spec"].get("volumeMode") == "Block":
        raise Refused("volumeMode Block is not supported")
    parameters = storage_class.get("parameters") or {}
    where = {"nodeAffinity": _only(node)}
    if storage_class["provisioner"] == DOCKER:
        try:
            source, of_one_node = docker_volume_class.source(parameters, claim, name)
        except ValueError as exc:
            raise Refused(str(exc)) from exc
        if not of_one_node:
            return source
        where |= source
    elif parameters:
        raise Refused(f"{LOCAL} has no parameters: {', '.join(sorted(parameters))}")
    else:
        where["local"] = {"path": f"{annotations_of(node)[FOLDER]}/{name}"}
    shared = [mode for mode in claim["spec"]["accessModes"] if mode not in OF_ONE_NODE]
    if shared:
        raise Refused(f"the volume is on one node and can't be {', '.join(shared)}")
    return where


def _only(node: Object) -> Object:
    here = {
        "key": HOSTNAME,
        "operator": "In",
        "values": [labels(node).get(HOSTNAME) or node["metadata"]["name"]],
    }
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}


def _volume(claim: Object, storage_class: Object, node: Object, name: str, source: Object) -> Object:
    spec, meta = claim["spec"], claim["metadata"]
    ref = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
    }
    body: Object = {
        "capacity": {"storage": spec["resources"]["requests"]["storage"]},
        "accessModes": list(spec["accessModes"]),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": spec.get("volumeMode") or "Filesystem",
        "claimRef": {**ref, "uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
        **source,
    }
    if storage_class.get("mountOptions"):
        body["mountOptions"] = list(storage_class["mountOptions"])
    if spec.get("volumeAttributesClassName"):
        body["volumeAttributesClassName"] = spec["volumeAttributesClassName"]
    noted = {PROVISIONED_BY: storage_class["provisioner"], HOLDER: node["metadata"]["name"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": noted, "finalizers": [FINALIZER]},
        "spec": body,
        "status": {"phase": "Pending"},
    }


def _of_class(change: Change, view: ReadView) -> Iterable[str]:
    name = change.new["metadata"]["name"]
    claims = ((key, view.get(CLAIMS, key)) for key in view.keys(CLAIMS))
    return [key for key, claim in claims if claim is not None and class_of(claim) == name]


ROLE = Role(NAME, plan, (itself(CLAIMS), Interest(CLASSES, _of_class)), lambda view: view.keys(CLAIMS))
