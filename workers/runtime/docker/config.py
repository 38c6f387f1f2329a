"""A sandbox and a container in the words of the engine's API (POST /containers/create), and its answers in ours.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.base.clock import parse_rfc3339
from workers.runtime.docker import isolation, labels, limits, mounting
from workers.runtime.docker.labels import Owner
from workers.runtime.mounts import Mount
from workers.runtime.protocol import ContainerSpec, ContainerState, PodRef, SandboxSpec, State
from workers.runtime.resources import MIN_SHARES


def sandbox(owner: Owner, spec: SandboxSpec, image: str, *, linked: bool = False) -> dict[str, Any]:
    """Args: linked: whether it gets its place in the node's network without the engine (`links`)."""
    shared = isolation.of_sandbox(spec, "" if linked else owner.network)
    return {
        **shared,
        "Image": image,
        "Labels": owner.of_pod(spec.pod) | {labels.ADDRESS: spec.address},
        # It heeds nothing else, so an engine that is stopped would wait for it in vain.
        "StopSignal": "SIGKILL",
        "HostConfig": {
            **shared["HostConfig"],
            "LogConfig": {"Type": "none"},
            # Our own program makes one harmless system call; compiling a filter for it costs more than its start.
            "SecurityOpt": ["seccomp=unconfined", "no-new-privileges"],
            "ReadonlyRootfs": True,
            "CpuShares": MIN_SHARES,
        },
    }


def container(
    owner: Owner, pod: PodRef, spec: ContainerSpec, files: Path, image_user: str = ""
) -> dict[str, Any]:
    """Args: files: the pod's folder with its `hosts` and `resolv.conf`. image_user: whom the image says it runs as, if
    the container says its group alone."""
    host: dict[str, Any] = {
        **isolation.of_container(spec, spec.shared, owner.sandbox_name(pod.uid)),
        "LogConfig": _log(spec),
        "Mounts": [mounting.mount(m, owner) for m in (*_own_files(spec, files), *spec.mounts)],
        **limits.host_config(spec),
    }
    if spec.handler:
        host["Runtime"] = spec.handler
    if spec.target:
        host["PidMode"] = f"container:{spec.target}"
    if spec.block_devices:
        host["Devices"] = [mounting.device(each) for each in spec.block_devices]
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{key}={value}" for key, value in spec.env.items()],
        "Labels": owner.of_pod(pod) | {labels.CONTAINER: spec.name, labels.ATTEMPT: str(spec.attempt)},
        "Tty": spec.tty,
        "OpenStdin": spec.stdin,
        "StdinOnce": spec.stdin and spec.stdin_once,
        "HostConfig": host,
        # An image's own health check would run beside the pod's probes, seen by nobody.
        "Healthcheck": {"Test": ["NONE"]},
    }
    if spec.command is not None:
        body["Entrypoint"] = list(spec.command)
    if spec.args is not None:
        body["Cmd"] = list(spec.args)
    if spec.working_dir:
        body["WorkingDir"] = spec.working_dir
    if spec.stop_signal:
        body["StopSignal"] = spec.stop_signal
    if spec.run_as_user is not None or spec.run_as_group is not None:
        own = image_user.partition(":")[0] or "0"
        user = own if spec.run_as_user is None else spec.run_as_user
        body["User"] = str(user) if spec.run_as_group is None else f"{user}:{spec.run_as_group}"
    return body


def _log(spec: ContainerSpec) -> dict[str, Any]:
    options = {"max-size": str(spec.log.size), "max-file": str(spec.log.files)}
    return {"Type": "json-file", "Config": options}


def state(inspected: dict[str, Any]) -> ContainerState:
    """What GET /containers/<id>/json tells of a container of ours."""
    config, now = inspected["Config"], inspected["State"]
    where = state_of(now["Status"])
    return ContainerState(
        name=config["Labels"][labels.CONTAINER],
        attempt=int(config["Labels"][labels.ATTEMPT]),
        state=where,
        id=inspected["Id"],
        image=config["Image"],
        image_id=inspected["Image"],
        started_at=_time(now["StartedAt"]),
        finished_at=_time(now["FinishedAt"]) if where is State.EXITED else 0.0,
        exit_code=now["ExitCode"] if where is State.EXITED else 0,
        oom_killed=bool(now["OOMKilled"]),
        message=now.get("Error", ""),
        limits=limits.shown(inspected.get("HostConfig") or {}),
        gpus=limits.gpus(inspected.get("HostConfig") or {}),
    )


def state_of(status: str) -> State:
    """The engine's word for a state, in ours. A paused or restarting container holds its place."""
    if status in ("created", "configured", "initialized"):
        return State.CREATED
    if status in ("exited", "dead", "removing", "stopped"):
        return State.EXITED
    return State.RUNNING


def _own_files(spec: ContainerSpec, files: Path) -> list[Mount]:
    taken = {m.target for m in spec.mounts}
    own = [Mount(str(files / name), f"/etc/{name}") for name in ("hosts", "resolv.conf")]
    return [m for m in own if m.target not in taken]


def _time(text: str) -> float:
    # The engine's "never" is the year 1.
    return max(parse_rfc3339(text), 0.0)
