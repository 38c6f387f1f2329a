"""From a pod's container to what a runtime starts."""

from __future__ import annotations

from pathlib import Path

from app.objects.change import Object
from workers.agent.configuring.env import environment, expand
from workers.agent.configuring.resources import amounts
from workers.agent.configuring.sandbox import shared
from workers.agent.configuring.security import context_of, security
from workers.agent.configuring.sources import Sources
from workers.agent.volumes.volumes import Volumes
from workers.runtime.protocol import ContainerSpec


def container_spec(
    pod: Object,
    container: Object,
    attempt: int,
    sources: Sources,
    volumes: Volumes,
    server: str = "",
    profiles: Path = Path(),
) -> ContainerSpec:
    """What to start. `profiles`: the folder of seccomp profiles. Raises ConfigError, NotYetKnown (see `Sources`)."""
    variables = environment(container, sources, server, volumes.folder)
    cpu_request, cpu, memory = amounts(pod, container)
    context = context_of(pod, container)
    return ContainerSpec(
        name=container["name"],
        attempt=attempt,
        image=container.get("image") or "",
        command=_words(container.get("command"), variables),
        args=_words(container.get("args"), variables),
        env=variables,
        working_dir=container.get("workingDir") or None,
        cpu_request_millis=cpu_request,
        cpu_millis=cpu,
        memory_bytes=memory,
        mounts=volumes.mounts(container, variables),
        block_devices=volumes.devices(container),
        run_as_user=context.get("runAsUser"),
        run_as_group=context.get("runAsGroup"),
        tty=bool(container.get("tty")),
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        read_only_root=bool(context.get("readOnlyRootFilesystem")),
        privileged=bool(context.get("privileged")),
        security=security(context, profiles),
        shared=shared(pod),
    )


def pull_policy(container: Object) -> str:
    """imagePullPolicy, which by default is Always for the tag `latest` and IfNotPresent for others."""
    if container.get("imagePullPolicy"):
        return str(container["imagePullPolicy"])
    image = str(container.get("image") or "")
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if "@" not in image and tag in ("", "latest") else "IfNotPresent"


def _words(words: list[str] | None, variables: dict[str, str]) -> tuple[str, ...] | None:
    return None if not words else tuple(expand(str(w), variables) for w in words)
