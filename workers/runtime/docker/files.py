"""The files of a pod that its containers have mounted: /etc/hosts and /etc/resolv.conf."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from workers.runtime.protocol import ContainerError, SandboxSpec
from workers.runtime.rewriting import rewrite


class PodFiles:
    """The folder that has them. The engine must see it under the same path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, uid: str) -> Path:
        """A pod's own. Raises ContainerError: a static pod's file gives it a uid that would lead elsewhere."""
        if uid in ("", ".", "..") or "/" in uid:
            raise ContainerError("FailedCreatePodSandBox", f"{uid!r} can't be the uid of a pod")
        return self._folder / "pods" / uid

    def write(self, spec: SandboxSpec) -> None:
        """What a pod starts with. Raises ContainerError: the disk is full, say."""
        folder = self.folder(spec.pod.uid)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Written in place: a container has the very file mounted.
            (folder / "hosts").write_text(spec.hosts)
            (folder / "resolv.conf").write_text(spec.resolv_conf)
        except OSError as exc:
            raise ContainerError(
                "FailedCreatePodSandBox", f"the files of the pod can't be written: {exc}"
            ) from exc

    def sweep(self, uids: Collection[str]) -> None:
        """See `workers.runtime.recovery.KeepsFiles`."""
        root = self._folder / "pods"
        for entry in root.iterdir() if root.is_dir() else ():
            if entry.name in uids and entry.is_dir():
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def refresh(self, uid: str, hosts: str) -> None:
        """New contents of a running pod's /etc/hosts. Raises ContainerError."""
        rewrite(self.folder(uid) / "hosts", hosts)
