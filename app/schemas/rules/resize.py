"""What the subresource `resize` may change of a running pod: cpu and memory of containers that keep running.

https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ (`ValidatePodResize`).
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import MIRROR
from app.objects.qos import qos_class
from app.objects.quantity import nanos
from app.schemas.faults import Faults

RESIZABLE = ("cpu", "memory")


def resized(old: Object, new: Object) -> Object:
    """The pod as it was with what `new` says of its containers' resources, by their names: all that can come this
    way. A changed policy comes along, to be refused."""
    spec = dict(old.get("spec") or {})
    for section in ("containers", "initContainers"):
        given = {c.get("name"): c for c in (new.get("spec") or {}).get(section) or ()}
        if spec.get(section):
            spec[section] = [_with_resources(c, given.get(c.get("name"))) for c in spec[section]]
    return {**old, "spec": spec}


def of_resize(config: Object) -> Object:
    """What of a pod's configuration this way takes."""
    found: Object = {k: config[k] for k in ("apiVersion", "kind") if k in config}
    sections = {}
    for section in ("containers", "initContainers"):
        given = (config.get("spec") or {}).get(section)
        if given:
            sections[section] = [
                {k: c[k] for k in ("name", "resources", "resizePolicy") if k in c} for c in given
            ]
    return {**found, "spec": sections} if sections else found


def resize_update(old: Object, new: Object, faults: Faults) -> None:
    """Whether `new`, which differs in resources only, may stand for `old`."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    never = _never(old)
    if never:
        faults.forbidden("", never)
        return
    quality = (old.get("status") or {}).get("qosClass") or qos_class(before)
    if quality != qos_class(after):
        faults.invalid("spec", quality, "Pod QOS Class may not change as a result of resizing")
    if not _supported(old):
        faults.forbidden("spec", "Pod running on node without support for resize")
    for section, kind in (("initContainers", " for sidecar containers"), ("containers", "")):
        pairs = zip(before.get(section) or (), after.get(section) or (), strict=True)
        for i, (was, now) in enumerate(pairs):
            if section == "initContainers" and was.get("restartPolicy") != "Always":
                if was != now:
                    faults.forbidden("spec", "resources for non-sidecar init containers are immutable")
                continue
            _nothing_removed(was, now, f"spec.{section}[{i}].resources", faults)
            if _fixed(was) != _fixed(now):
                faults.forbidden("spec", f"only cpu and memory resources{kind} are mutable")


def resize_policy(policies: list[Object], spec: Object, path: str, faults: Faults) -> None:
    """What a container says of its being resized: one word for each of cpu and memory (`validateResizePolicy`)."""
    seen = set()
    for i, policy in enumerate(policies):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy")
        if name in seen:
            faults.duplicate(f"{path}[{i}]", name)
        seen.add(name)
        if name and name not in RESIZABLE:
            faults.not_supported(path, name, RESIZABLE)
        if spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            faults.invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'")


def _never(pod: Object) -> str:
    """Why a pod can't be resized at all."""
    spec = pod.get("spec") or {}
    whole = spec.get("resources") or {}
    if whole.get("requests") or whole.get("limits"):
        return "pods with pod-level resources cannot be resized"
    if MIRROR in (pod["metadata"].get("annotations") or {}):
        return "static pods cannot be resized"
    if (spec.get("os") or {}).get("name") == "windows":
        return "windows pods cannot be resized"
    return ""


def _supported(pod: Object) -> bool:
    """A node that can resize says what its running containers have."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if "running" in (status.get("state") or {}):
            return "resources" in status
    return True


def _nothing_removed(was: Object, now: Object, path: str, faults: Faults) -> None:
    old, new = was.get("resources") or {}, now.get("resources") or {}
    for which in ("requests", "limits"):
        if set(old.get(which) or ()) - set(new.get(which) or ()):
            faults.forbidden(f"{path}.{which}", f"resource {which} cannot be removed")


def _fixed(container: Object) -> Object:
    """A container without what may change, amounts in one unit."""
    resources = container.get("resources") or {}
    kept = {
        which: {n: nanos(a) for n, a in (resources.get(which) or {}).items() if n not in RESIZABLE}
        for which in ("requests", "limits")
    }
    return {**container, "resources": {**kept, "claims": resources.get("claims") or []}}


def _with_resources(container: Object, given: Object | None) -> Object:
    if given is None:
        return container
    changed = {**container, "resources": given.get("resources") or {}}
    if given.get("resizePolicy"):
        changed["resizePolicy"] = given["resizePolicy"]
    return changed
