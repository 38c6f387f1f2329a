"""What a container has mounted, as runtimes are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class EngineVolume:
    """A volume that the container engine mounts itself, by one of its drivers; made when it is first used."""

    name: str
    driver: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """A block device of the machine to be seen inside the container at `target`, for runtimes that can do that."""

    source: str
    target: str
    read_only: bool = False


class Propagation(StrEnum):
    """Whether what is mounted below a mount later is seen on the other side (`mountPropagation`)."""

    NONE = "None"
    HOST_TO_CONTAINER = "HostToContainer"
    BIDIRECTIONAL = "Bidirectional"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the machine to be seen inside the container; or a volume of the engine (`volume`), for
    runtimes that have them (`HasVolumes`).

    Attributes:
        sub_path: only this part of `source`, which exists. No link leads out of `source`, whoever puts it there when.
        recursive: `read_only` is also for what is mounted below.
        optional: where nothing can be mounted, the container runs without.
    """

    source: str
    target: str
    read_only: bool = False
    volume: EngineVolume | None = None
    sub_path: str = ""
    propagation: Propagation = Propagation.NONE
    recursive: bool = False
    optional: bool = False
