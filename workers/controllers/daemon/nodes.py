"""Which nodes a DaemonSet's pods are for, and what of a pod ties it to its node.

The scheduler binds them, as it does all pods: each asks by its affinity for the one node that it was made for.
https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
"""

from __future__ import annotations

from typing import NamedTuple

from app.objects import node_affinity, taints
from app.objects.change import Object
from app.objects.meta import is_deleting, labels, with_meta
from workers.controllers.pod_template import pod_of
from workers.controllers.revisions import POD_LABEL

_PRESSURES = (
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    taints.UNSCHEDULABLE,
)
_NO_NETWORK = "node.kubernetes.io/network-unavailable"
_KEEPING_AWAY = (taints.NO_SCHEDULE, taints.NO_EXECUTE)


class Fit(NamedTuple):
    """Whether a node should get a pod, and whether one that is there may stay."""

    gets: bool
    keeps: bool


NOWHERE = Fit(False, False)


def fitting(spec: Object, node: Object) -> Fit:
    """How a node and the pods of a template go together; `spec` is the template's, with `tolerating`. A taint that is
    set later keeps new pods away and drives out only those that NoExecute says."""
    name = node["metadata"]["name"]
    named = spec.get("nodeName")
    if is_deleting(node) or (named and named != name):
        return NOWHERE
    if not node_affinity.matches(spec, name, labels(node)):
        return NOWHERE
    given = (node.get("spec") or {}).get("taints")
    if not given:
        return Fit(True, True)
    tolerations = spec.get("tolerations") or ()
    return Fit(
        taints.untolerated(given, tolerations, _KEEPING_AWAY) is None,
        taints.untolerated(given, tolerations, (taints.NO_EXECUTE,)) is None,
    )


def tolerating(spec: Object) -> Object:
    """The pod spec with the tolerations that every daemon pod has: it stays where a node is in trouble."""
    added = [
        *({"key": key, "effect": taints.NO_EXECUTE} for key in (taints.NOT_READY, taints.UNREACHABLE)),
        *({"key": key, "effect": taints.NO_SCHEDULE} for key in _PRESSURES),
    ]
    if spec.get("hostNetwork"):
        added.append({"key": _NO_NETWORK, "effect": taints.NO_SCHEDULE})
    ours = [{**toleration, "operator": "Exists"} for toleration in added]
    given = [toleration for toleration in spec.get("tolerations") or () if toleration not in ours]
    return {**spec, "tolerations": [*given, *ours]}


def new_pod(
    daemon_set: Object, revision_hash: str, name: str, node: str, unreachable_toleration: int
) -> Object:
    """The pod for one node, of the set's newest template."""
    template = daemon_set["spec"]["template"]
    spec = tolerating(template.get("spec") or {})
    spec = {**spec, "affinity": node_affinity.to_node(spec.get("affinity"), node)}
    pod = pod_of(daemon_set, {**template, "spec": spec}, unreachable_toleration)
    own = {**pod["metadata"]["labels"], POD_LABEL: revision_hash}
    pod["metadata"] = {"name": name, **pod["metadata"]}
    return with_meta(pod, generateName=f"{daemon_set['metadata']['name'][:57]}-", labels=own)


def node_of(pod: Object) -> str:
    """The node that a pod is on or was made for; "" if it was made for none."""
    bound = pod["spec"].get("nodeName")
    return str(bound or (node_affinity.only(pod["spec"]) or ("",))[0])
