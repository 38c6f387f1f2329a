"""Rules for where containers see the volumes of their pod (k8s.io/kubernetes/pkg/apis/core/validation).

For a part of a mount Kubernetes names the list and not the mount: `volumeMounts.subPath`.
"""

from __future__ import annotations

from app.objects.change import Object
from app.schemas import paths
from app.schemas.faults import Faults

# What a block device can be made of.
_BLOCK = ("persistentVolumeClaim", "ephemeral")


def mounts(container: Object, volumes: dict[str, Object], path: str, faults: Faults) -> None:
    """The folders of a container. `volumes`: those of the pod, by name."""
    where = f"{path}.volumeMounts"
    devices = container.get("volumeDevices") or ()
    names = {device.get("name") for device in devices}
    targets = {device.get("devicePath") for device in devices}
    seen: set[str] = set()
    for i, mount in enumerate(container["volumeMounts"]):
        here = f"{where}[{i}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if name and name not in volumes:
            faults.not_found(f"{here}.name", name)
        if target in seen:
            faults.invalid(f"{here}.mountPath", target, "must be unique")
        seen.add(target)
        if name and name in names:
            faults.invalid(f"{here}.name", name, "must not already exist in volumeDevices")
        if target and target in targets:
            faults.invalid(f"{here}.mountPath", target, "must not already exist as a path in volumeDevices")
        part, pattern = mount.get("subPath") or "", mount.get("subPathExpr") or ""
        if part:
            paths.descending(part, f"{where}.subPath", faults)
        if part and pattern:
            faults.invalid(f"{here}.subPathExpr", pattern, "subPathExpr and subPath are mutually exclusive")
        if pattern:
            paths.descending(pattern, f"{where}.subPathExpr", faults)
        if mount.get("mountPropagation") == "Bidirectional" and not _privileged(container):
            faults.forbidden(
                f"{where}.mountPropagation",
                "Bidirectional mount propagation is available only to privileged containers",
            )
        _read_only(mount, f"{where}.recursiveReadOnly", faults)


def _privileged(container: Object) -> bool:
    return bool((container.get("securityContext") or {}).get("privileged"))


def _read_only(mount: Object, path: str, faults: Faults) -> None:
    mode = mount.get("recursiveReadOnly")
    if mode in (None, "Disabled"):
        return
    if not mount.get("readOnly"):
        faults.forbidden(path, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in (None, "None"):
        faults.forbidden(path, "may only be specified when mountPropagation is None or not specified")


def devices(container: Object, volumes: dict[str, Object], path: str, faults: Faults) -> None:
    """The block devices of a container."""
    names: set[str] = set()
    targets: set[str] = set()
    for i, device in enumerate(container["volumeDevices"]):
        here = f"{path}.volumeDevices[{i}]"
        name, target = device.get("name") or "", device.get("devicePath") or ""
        if name in names:
            faults.invalid(f"{here}.name", name, "must be unique")
        volume = volumes.get(name)
        if volume is None:
            faults.not_found(f"{here}.name", name)
        elif not any(volume.get(source) is not None for source in _BLOCK):
            faults.invalid(
                f"{here}.name",
                name,
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            )
        if target in targets:
            faults.invalid(f"{here}.devicePath", target, "must be unique")
        if ".." in target.split("/"):
            faults.invalid(f"{here}.devicePath", target, "can not contain backsteps ('..')")
        names.add(name)
        targets.add(target)
