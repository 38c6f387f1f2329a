"""What the folders tell of a pod and its containers."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from workers.runtime.process import holding, reaping
from workers.runtime.process.files import ContainerFolder, PodFolder, ref
from workers.runtime.protocol import ContainerState, PodState, State
from workers.runtime.users import User


def pod(folder: PodFolder, boot: str, now: float) -> PodState | None:
    """A pod as it is now; None if it has no sandbox."""
    sandbox = folder.sandbox()
    if sandbox is None:
        return None
    states = [container(c, boot, now) for c in folder.containers()]
    return PodState(ref(sandbox), sandbox["address"], True, tuple(s for s in states if s is not None))


def container(folder: ContainerFolder, boot: str, now: float) -> ContainerState | None:
    """An attempt of a container; None if it never was."""
    spec = folder.spec()
    if spec is None:
        return None
    shown = ContainerState(folder.name, folder.attempt, State.CREATED, folder.id, spec["image"])
    recorded = reaping.current(folder, boot, now)
    if recorded is None:
        return shown
    return replace(
        shown,
        state=State.RUNNING if recorded.exit_code is None else State.EXITED,
        started_at=recorded.started_at,
        finished_at=recorded.finished_at,
        exit_code=recorded.exit_code or 0,
        message=recorded.message,
        oom_killed=recorded.exit_code is not None and holding.oom_killed(folder),
        limits=holding.limits(folder),
        user=user(spec),
    )


def user(spec: dict[str, Any]) -> User:
    """Whom a container is started as. Args: spec: its `spec.json`."""
    uid, gid = spec.get("run_as_user"), spec.get("run_as_group")
    first = os.getegid() if gid is None else gid
    groups = (spec.get("security") or {}).get("groups") or ()
    return User(os.geteuid() if uid is None else uid, first, tuple(dict.fromkeys((first, *groups))))
