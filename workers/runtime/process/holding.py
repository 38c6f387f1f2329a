"""Holding containers to what they may use. What was done is kept in a container's folder: its groups, so that whoever
removes the folder removes them, and its limits, which the kernel rounds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from workers.runtime.features import Feature
from workers.runtime.process import cgroups
from workers.runtime.process.files import ContainerFolder, write
from workers.runtime.protocol import ContainerError, ContainerSpec
from workers.runtime.resources import Limits

_GIVES = {"cpu": Feature.CPU_LIMIT, "memory": Feature.MEMORY_LIMIT, "pids": Feature.PIDS_LIMIT}
_LIMITS, _OOM = "limits.json", "oom"


@dataclass(frozen=True, slots=True)
class Holding:
    """`place`: where groups can be made; None: nowhere, and containers use what they like."""

    place: cgroups.Place | None

    @property
    def features(self) -> frozenset[Feature]:
        if self.place is None:
            return frozenset()
        has = self.place.folders
        found = {feature for name, feature in _GIVES.items() if name in has}
        return frozenset(found | ({Feature.RESIZE} if {"cpu", "memory"} <= has.keys() else set()))

    def begin(self, folder: ContainerFolder, spec: ContainerSpec) -> None:
        """Make the groups of a container that is about to start. Raises ContainerError."""
        if self.place is None:
            return
        groups = self.place.groups(folder.id)
        folder.keep_groups(groups)
        try:
            self.place.make(groups, spec.limits, spec.resources)
        except OSError as exc:
            raise ContainerError(
                "CreateContainerError", f"its control group could not be made: {exc}"
            ) from exc
        _keep(folder, spec.limits)

    def resize(self, folder: ContainerFolder, limits: Limits) -> None:
        """See `Resizes.resize_container`."""
        try:
            cgroups.apply(folder.groups(), limits)
        except OSError as exc:
            raise ContainerError("ResizeError", f"the kernel refuses the limits: {exc.strerror}") from exc
        _keep(folder, limits)


def end(folder: ContainerFolder) -> None:
    """A container has ended: note whether it was for its memory, and remove its groups with what is left in them."""
    groups = folder.groups()
    if groups:
        if cgroups.oom_killed(groups):
            write(folder.path / _OOM, "")
        cgroups.remove(groups)
        folder.keep_groups([])


def oom_killed(folder: ContainerFolder) -> bool:
    """Whether the kernel ended something of the container because it held too much memory."""
    return (folder.path / _OOM).exists() or cgroups.oom_killed(folder.groups())


def entrances(folder: ContainerFolder) -> list[Path]:
    """The files to which a process writes itself to be in the container's groups."""
    return [group / cgroups.PROCESSES for group in folder.groups() if group.is_dir()]


def limits(folder: ContainerFolder) -> Limits | None:
    """What the container is held to; None if to nothing."""
    try:
        return Limits(**json.loads((folder.path / _LIMITS).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _keep(folder: ContainerFolder, given: Limits) -> None:
    write(folder.path / _LIMITS, json.dumps(asdict(given)))
