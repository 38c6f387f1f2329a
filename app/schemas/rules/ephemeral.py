"""Rules for ephemeral containers, and for the subresource by which they are added to a running pod
(k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.rules import mirror
from app.schemas.spec_diff import spec_diff
from app.schemas.types.core_container import EphemeralContainer

# What a pod's service must not depend on.
NOT_ALLOWED = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe",
    "readinessProbe", "startupProbe", "lifecycle",
)  # fmt: skip
_CANNOT = "cannot be set for an Ephemeral Container"


def ephemeral_containers(spec: Object, path: str, faults: Faults) -> None:
    """What is particular to them; what holds for all containers is looked after elsewhere."""
    others = {c.get("name") for c in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))}
    for i, container in enumerate(spec["ephemeralContainers"]):
        where = f"{path}.ephemeralContainers[{i}]"
        target = container.get("targetContainerName")
        if target and target not in others:
            faults.not_found(f"{where}.targetContainerName", target)
        for field in NOT_ALLOWED:
            if container.get(field):
                faults.forbidden(f"{where}.{field}", _CANNOT)
        for j, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    faults.forbidden(f"{where}.volumeMounts[{j}].{field}", _CANNOT)


def ephemeral_update(old: Object, new: Object, faults: Faults) -> None:
    """By the subresource they are added; those that are there stay as they are."""
    kept = {c.get("name"): c for c in (new.get("spec") or {}).get("ephemeralContainers") or ()}
    where = "spec.ephemeralContainers"
    for before in (old.get("spec") or {}).get("ephemeralContainers") or ():
        name = before.get("name")
        after = kept.get(name)
        if after is None:
            faults.forbidden(where, f'existing ephemeral containers "{name}" may not be removed\n')
        elif after != before:
            diff = spec_diff(EphemeralContainer, before, after, "core.EphemeralContainer")
            faults.forbidden(where, f'existing ephemeral containers "{name}" may not be changed\n{diff}')


def on_create(pod: Object, path: str, faults: Faults) -> None:
    """What a pod can't have from the beginning."""
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        faults.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        faults.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    mirror.on_create(pod, faults)


def template(given: Object, path: str, faults: Faults) -> None:
    """A template's pods begin without."""
    if (given.get("spec") or {}).get("ephemeralContainers"):
        faults.forbidden(
            f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"
        )
