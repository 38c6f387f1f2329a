"""Who a StatefulSet's pods are: their names, numbers, labels, and the volumes that are theirs.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
"""

from __future__ import annotations

import re

from app.objects.change import Object
from app.objects.meta import labels, with_meta
from app.schemas.formats import dns_label
from workers.controllers.pod_template import pod_of
from workers.controllers.revisions import POD_LABEL

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-(0|[1-9][0-9]*)", re.ASCII)


def parted(name: str) -> tuple[str, int] | None:
    """The set's name and the number that a pod's name is made of; None if it is no such name."""
    found = _NAME.fullmatch(name)
    return (found[1], int(found[2])) if found else None


def ordinal(stateful_set: Object, pod: Object) -> int | None:
    """The pod's number, if its name is that of a member of the set."""
    found = parted(pod["metadata"]["name"])
    return found[1] if found and found[0] == stateful_set["metadata"]["name"] else None


def ordinals(stateful_set: Object) -> range:
    """The numbers of the pods that the set wants."""
    spec = stateful_set["spec"]
    first = int((spec.get("ordinals") or {}).get("start") or 0)
    return range(first, first + int(spec["replicas"]))


def pod_name(stateful_set: Object, number: int) -> str:
    return f"{stateful_set['metadata']['name']}-{number}"


def unfit(name: str) -> str:
    """Why a pod can't have that name, which is its host's too; "" if it can."""
    faults = dns_label(name)
    return f'Pod "{name}" is invalid: spec.hostname: Invalid value: "{name}": {faults[0]}' if faults else ""


def claim_name(stateful_set: Object, template: Object, number: int) -> str:
    """The name of the claim that a pod has of a claim template."""
    return f"{template['metadata']['name']}-{pod_name(stateful_set, number)}"


def new_pod(
    stateful_set: Object, template: Object, revision: str, number: int, unreachable_toleration: int
) -> Object:
    """The pod of that number, of a revision's pod template."""
    pod = pod_of(stateful_set, template, unreachable_toleration)
    name = pod_name(stateful_set, number)
    own = {**pod["metadata"]["labels"], NAME_LABEL: name, INDEX_LABEL: str(number), POD_LABEL: revision}
    spec = {**pod["spec"], "hostname": name}
    if stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = stateful_set["spec"]["serviceName"]
    claimed = {
        claim["metadata"]["name"]: claim_name(stateful_set, claim, number)
        for claim in stateful_set["spec"].get("volumeClaimTemplates") or ()
    }
    if claimed:
        others = [volume for volume in spec.get("volumes") or () if volume["name"] not in claimed]
        spec["volumes"] = [
            {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
            for volume, claim in claimed.items()
        ] + others
    return {**pod, "metadata": {"name": name, **pod["metadata"], "labels": own}, "spec": spec}


def identified(pod: Object) -> Object:
    """A member with the labels that say who it is; itself if it has them. An adopted one may lack them."""
    name = pod["metadata"]["name"]
    found = parted(name)
    index = str(found[1]) if found else ""
    own = labels(pod)
    if own.get(NAME_LABEL) == name and own.get(INDEX_LABEL) == index:
        return pod
    return with_meta(pod, labels={**own, NAME_LABEL: name, INDEX_LABEL: index})
