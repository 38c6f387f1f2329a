"""A sandbox and a container in the words of the engine's API (POST /containers/create), and its answers in ours.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.base.clock import parse_rfc3339
from workers.runtime.docker import labels
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import ContainerSpec, ContainerState, Mount, PodRef, SandboxSpec, State

# A container's log has at most two files of this size.
LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}
# The least share of the CPU that Linux takes, and what 1000 millicores are.
MIN_SHARES, CPU_SHARES = 2, 1024


def sandbox(owner: Owner, spec: SandboxSpec, image: str) -> dict[str, Any]:
    return {
        "Image": image,
        "Hostname": spec.hostname,
        "Labels": owner.of_pod(spec.pod) | {labels.ADDRESS: spec.address},
        "HostConfig": {
            "NetworkMode": owner.network,
            "IpcMode": "shareable",
            "LogConfig": {"Type": "none"},
            # Our own program makes one harmless system call; compiling a filter for it costs more than its start.
            "SecurityOpt": ["seccomp=unconfined", "no-new-privileges"],
            "ReadonlyRootfs": True,
            "CpuShares": MIN_SHARES,
        },
        "NetworkingConfig": {
            "EndpointsConfig": {owner.network: {"IPAMConfig": {"IPv4Address": spec.address}}}
        },
    }


def container(owner: Owner, pod: PodRef, spec: ContainerSpec, files: Path) -> dict[str, Any]:
    """Args: files: the pod's folder with its `hosts` and `resolv.conf`."""
    with_sandbox = f"container:{owner.sandbox_name(pod.uid)}"
    host: dict[str, Any] = {
        "NetworkMode": with_sandbox,
        "IpcMode": with_sandbox,
        "LogConfig": LOG,
        "Mounts": [_mount(m, owner) for m in (*_own_files(spec, files), *spec.mounts)],
        "ReadonlyRootfs": spec.read_only_root,
        "Privileged": spec.privileged,
        "CpuShares": max(MIN_SHARES, spec.cpu_request_millis * CPU_SHARES // 1000),
    }
    if spec.cpu_millis:
        host["NanoCpus"] = spec.cpu_millis * 1_000_000
    if spec.memory_bytes:
        # The same for memory with swap: no swap, as Kubernetes has it.
        host["Memory"] = host["MemorySwap"] = spec.memory_bytes
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
    if spec.run_as_user is not None or spec.run_as_group is not None:
        user = 0 if spec.run_as_user is None else spec.run_as_user
        body["User"] = str(user) if spec.run_as_group is None else f"{user}:{spec.run_as_group}"
    return body


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


def _mount(mount: Mount, owner: Owner) -> dict[str, Any]:
    if mount.volume is not None:
        driver = {"Name": mount.volume.driver, "Options": dict(mount.volume.options)}
        options = {"NoCopy": True, "Labels": owner.of_volume(), "DriverConfig": driver}
        return {
            "Type": "volume",
            "Source": mount.volume.name,
            "Target": mount.target,
            "ReadOnly": mount.read_only,
            "VolumeOptions": options,
        }
    return {"Type": "bind", "Source": mount.source, "Target": mount.target, "ReadOnly": mount.read_only}


def _time(text: str) -> float:
    # The engine's "never" is the year 1.
    return max(parse_rfc3339(text), 0.0)
