"""What a container sees of its pod's volumes.

https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from app.objects.change import Object
from workers.agent.configuring.env import expand
from workers.agent.configuring.sources import ConfigError
from workers.agent.volumes.claims import Place
from workers.runtime.beneath import LeadsOut, make_beneath
from workers.runtime.features import Feature
from workers.runtime.mounts import Mount, Propagation

_LEFT_OVER = re.compile(r"\$\(([^)]*)\)")


def mount(
    asked: Object,
    place: Place,
    content: bool,
    variables: Mapping[str, str],
    features: Collection[Feature],
) -> Mount:
    """One of a container's `volumeMounts`.

    Args:
        place: where the volume lies. content: it is drawn from objects, so nobody writes to it. variables: the
            container's. features: the runtime's.

    Raises:
        ConfigError: its part of the volume can't be had.
    """
    part = sub_path(asked, variables)
    read_only = bool(asked.get("readOnly")) or content or place.read_only
    if place.engine is not None:
        if part:
            raise ConfigError(
                f"volumeMounts.subPath {part!r}: not supported in a volume of the container engine"
            )
        return Mount("", asked["mountPath"], read_only, place.engine)
    assert place.path is not None
    source = place.path.absolute()
    if part and content:
        # Nobody but the agent makes links there, so they may be followed right away.
        source, part = _resolved(source, part, asked["name"]), ""
    return Mount(
        str(source),
        asked["mountPath"],
        read_only,
        sub_path=part,
        propagation=Propagation(asked.get("mountPropagation") or "None"),
        recursive=is_recursive(asked, features),
    )


def _resolved(volume: Path, part: str, name: str) -> Path:
    path = (volume / part).resolve()
    if not path.exists():
        # As in Kubernetes: what no object has is an empty folder, which the next change of the volume removes.
        path = volume / part
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            # Below a file, say.
            raise ConfigError(f'failed to prepare subPath for volumeMount "{name}": {exc}') from exc
    if not path.is_relative_to(volume.resolve()):
        raise ConfigError(f'subPath {part} of volumeMount "{name}" is not within the volume')
    return path


def sub_path(asked: Object, variables: Mapping[str, str]) -> str:
    """The part of the volume that is asked for; empty for all of it. Raises ConfigError."""
    pattern = asked.get("subPathExpr") or ""
    part = str(asked.get("subPath") or "") or expand(pattern, variables)
    if pattern:
        for name in _LEFT_OVER.findall(pattern.replace("$$", "")):
            if name not in variables:
                raise ConfigError(f'missing value for "{name}"')
    if part.startswith("/"):
        raise ConfigError(f"error SubPath `{part}` must not be an absolute path")
    if ".." in part.split("/"):
        raise ConfigError(f"unable to provision SubPath `{part}`: must not contain '..'")
    return part.strip("/")


def make(mount: Mount, volume: str, container: str) -> None:
    """See that the part of the volume that a mount asks for exists. Raises ConfigError."""
    failed = f'failed to create subPath directory for volumeMount "{volume}" of container "{container}"'
    try:
        make_beneath(mount.source, mount.sub_path)
    except LeadsOut as exc:
        raise ConfigError(f"{failed}: {mount.sub_path} is not within the volume") from exc
    except OSError as exc:
        raise ConfigError(f"{failed}: {exc}") from exc


def is_recursive(asked: Object, features: Collection[Feature]) -> bool:
    """Whether what is mounted below is read-only as well."""
    wish = asked.get("recursiveReadOnly") if asked.get("readOnly") else None
    return wish == "Enabled" or (wish == "IfPossible" and Feature.RECURSIVE_READ_ONLY in features)


def show_mounts(status: Object, pod: Object, features: Collection[Feature]) -> None:
    """Add to a pod's status how its containers have volumes mounted."""
    for section in ("initContainers", "containers", "ephemeralContainers"):
        mounting = {c["name"]: c for c in pod["spec"].get(section) or () if c.get("volumeMounts")}
        for entry in status.get(f"{section[:-1]}Statuses") or () if mounting else ():
            if entry["name"] in mounting:
                entry["volumeMounts"] = shown(mounting[entry["name"]], features)


def shown(container: Object, features: Collection[Feature]) -> list[Object]:
    """The mounts of a container as its status has them (`volumeMounts`)."""
    found = []
    for asked in container.get("volumeMounts") or ():
        entry: Object = {"name": asked["name"], "mountPath": asked["mountPath"]}
        if asked.get("readOnly"):
            entry["readOnly"] = True
            entry["recursiveReadOnly"] = "Enabled" if is_recursive(asked, features) else "Disabled"
        found.append(entry)
    return found
