"""The folder of the process runtime, which is all it remembers.

pods/<uid>/sandbox.json, resolv.conf, hosts
pods/<uid>/containers/<name>.<attempt>/   spec.json, state, lock, log, log.1, ..., groups, limits.json, oom, work/, root/
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from app.base.trees import remove_tree
from workers.runtime.process import cgroups
from workers.runtime.process.procfs import Process
from workers.runtime.protocol import ContainerError, ContainerSpec, PodRef, SandboxSpec
from workers.runtime.security import Seccomp, Security

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_ENDING = tuple(threading.Lock() for _ in range(64))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the shim wrote down. `exit_code` None: not ended when it last wrote."""

    boot: str
    shim: Process
    main: Process
    started_at: float
    exit_code: int | None = None
    finished_at: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class ContainerFolder:
    """The folder of one attempt of one container."""

    path: Path
    uid: str
    name: str
    attempt: int

    @property
    def id(self) -> str:
        # No uid and no container's name has an underscore.
        return f"{self.uid}_{self.name}_{self.attempt}"

    @property
    def ending(self) -> threading.Lock:
        """Held by who sees to what a dead container left, and who removes the folder: the watch does the one while
        somebody stops the container and does the other. (It may be another container's as well.)"""
        return _ENDING[hash(self.path) % len(_ENDING)]

    def create(self, spec: ContainerSpec) -> None:
        """Make it with its spec in it; the spec comes last, so a folder without one never was."""
        for part in ("work", "root"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        body = asdict(spec) | {"env": dict(spec.env)}
        write(self.path / "spec.json", json.dumps(body))

    def spec(self) -> dict[str, Any] | None:
        body = read(self.path / "spec.json")
        return json.loads(body) if body else None

    def recorded(self) -> Recorded | None:
        body = read(self.path / "state")
        if not body:
            return None
        fields = json.loads(body)
        fields["shim"] = Process(*fields["shim"])
        fields["main"] = Process(*fields["main"])
        return Recorded(**fields)

    def record(self, recorded: Recorded) -> None:
        """Write down an end that the shim did not live to see."""
        fields = asdict(recorded)
        for who in ("shim", "main"):
            fields[who] = [fields[who]["pid"], fields[who]["start"]]
        write(self.path / "state", json.dumps(fields))

    def groups(self) -> list[Path]:
        """The control groups of its processes (`cgroups`)."""
        return [Path(line) for line in read(self.path / "groups").splitlines()]

    def keep_groups(self, groups: list[Path]) -> None:
        """Note them before they are made, so that none is forgotten."""
        write(self.path / "groups", "\n".join(map(str, groups)))

    def remove(self) -> None:
        with self.ending:
            cgroups.remove(self.groups())
            with contextlib.suppress(OSError):
                remove_tree(self.path)


@dataclass(frozen=True, slots=True)
class PodFolder:
    """The folder of one pod."""

    path: Path
    uid: str

    def create(self, spec: SandboxSpec) -> None:
        (self.path / "containers").mkdir(parents=True, exist_ok=True)
        write(self.path / "resolv.conf", spec.resolv_conf)
        write(self.path / "hosts", spec.hosts)
        write(
            self.path / "sandbox.json",
            json.dumps(
                {
                    "pod": asdict(spec.pod),
                    "address": spec.address,
                    "hostname": spec.hostname,
                    "in_machine": spec.shared.network,
                }
            ),
        )

    def sandbox(self) -> dict[str, Any] | None:
        body = read(self.path / "sandbox.json")
        return json.loads(body) if body else None

    def container(self, name: str, attempt: int) -> ContainerFolder:
        _checked(name)
        return ContainerFolder(self.path / "containers" / f"{name}.{attempt}", self.uid, name, attempt)

    def containers(self) -> list[ContainerFolder]:
        """All of them, newest attempt of each name last."""
        found = []
        for entry in _entries(self.path / "containers"):
            name, _, attempt = entry.rpartition(".")
            if attempt.isdigit():
                found.append(self.container(name, int(attempt)))
        return sorted(found, key=lambda c: (c.name, c.attempt))

    def remove(self) -> None:
        # Without sandbox.json the pod is no more, whatever interrupts the rest.
        (self.path / "sandbox.json").unlink(missing_ok=True)
        for container in self.containers():
            container.remove()
        with contextlib.suppress(OSError):
            remove_tree(self.path)


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """The folder of one node."""

    path: Path

    def pod(self, uid: str) -> PodFolder:
        return PodFolder(self.path / "pods" / _checked(uid), uid)

    def pods(self) -> list[PodFolder]:
        return [self.pod(entry) for entry in _entries(self.path / "pods")]


def stored_security(fields: dict[str, Any]) -> Security:
    """A container's security out of its `spec.json`."""
    known = {each.name for each in dataclass_fields(Security)}
    lists = {key: value for key, value in fields.items() if key in known}
    for key in ("add", "drop", "groups"):
        lists[key] = tuple(lists.get(key) or ())
    lists["se_linux"] = tuple((name, value) for name, value in lists.get("se_linux") or ())
    lists["seccomp"] = Seccomp(lists.get("seccomp") or "")
    return Security(**lists)


def ref(sandbox: dict[str, Any]) -> PodRef:
    return PodRef(**sandbox["pod"])


def read(path: Path) -> str:
    """The file's contents; empty if there is none."""
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def write(path: Path, text: str) -> None:
    """Put a file there whole or not at all. Only the owner may read it: an environment holds secrets."""
    fresh = path.with_name(path.name + ".fresh")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644 if path.suffix != ".json" else 0o600)
    with open(fd, "w") as file:
        file.write(text)
    fresh.rename(path)


def _entries(path: Path) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def _checked(name: str) -> str:
    """A name that may be part of a path."""
    if not _NAME.fullmatch(name):
        raise ContainerError("CreateContainerError", f"{name!r} can't be a name here")
    return name
