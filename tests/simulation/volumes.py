"""Claims of a StatefulSet in a simulated cluster, with real folders on the nodes: what must hold of them."""

from __future__ import annotations

from pathlib import Path

from app.objects.change import Object
from app.objects.meta import is_deleting
from app.objects.persistent import CLAIMS, VOLUMES, claims_of, is_bound, phase_of
from app.objects.pods import is_terminal
from app.objects.volume_matching import misfit
from app.store.view import View

MOUNT = {"name": "data", "mountPath": "/data"}


def claim_template() -> Object:
    """Of the default class: a folder of the node on which the first pod lands."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": "data"}, "spec": spec}


def one_claim_to_a_volume(view: View) -> None:
    """No volume is had by two claims, no claim has one that it doesn't fit, and no pod is where its data is not."""
    taken: dict[str, str] = {}
    for claim in view.list(CLAIMS):
        name = claim["spec"].get("volumeName")
        if not is_bound(claim):
            continue
        assert name not in taken, f"{taken.get(name)} and {claim['metadata']['name']} both have {name}"
        taken[name] = claim["metadata"]["name"]
        volume = view.get(VOLUMES, name)
        assert volume is not None, f"{name} went while claim {claim['metadata']['name']} had it"
        assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
        assert misfit(volume, claim) is None
    for pod in view.list("pods"):
        node = pod["spec"].get("nodeName")
        for name in claims_of(pod) if node else ():
            claim = view.get(CLAIMS, f"{pod['metadata']['namespace']}/{name}")
            assert claim is not None, f"{pod['metadata']['name']} lost its claim"
            volume = view.get(VOLUMES, claim["spec"].get("volumeName") or "")
            assert volume is not None, f"{pod['metadata']['name']} was bound before its claim"
            assert node in volume["spec"]["local"]["path"].split("/"), "a pod is not where its data is"


def is_mounted(view: View, resource: str, claim: Object) -> bool:
    """Whether it is a claim that a pod mounts: such a one stays, though somebody has deleted it."""
    return resource == CLAIMS and any(
        claim["metadata"]["name"] in claims_of(pod)
        for pod in view.list("pods", claim["metadata"]["namespace"])
        if not is_terminal(pod)
    )


def converged(view: View, folder: Path) -> list[str]:
    """What is not yet at rest; empty in the end. `folder` is where the nodes keep their volumes."""
    wrong = [
        f"claim {c['metadata']['name']} is {phase_of(c)}"
        for c in view.list(CLAIMS)
        # One whose pod went before it got a node waits for the next pod.
        if (phase_of(c) != "Bound" if is_mounted(view, CLAIMS, c) else is_deleting(c))
    ]
    volumes = view.list(VOLUMES)
    wrong += [f"volume {v['metadata']['name']} is {phase_of(v)}" for v in volumes if phase_of(v) != "Bound"]
    paths = {v["spec"]["local"]["path"] for v in volumes}
    return wrong + [f"{left} was left behind" for left in folder.glob("*/*") if str(left) not in paths]
