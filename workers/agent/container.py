"""From a pod's container to what a runtime starts; and what of a pod can't be had here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.objects import quantity
from app.objects.change import Object
from workers.agent.env import environment, expand
from workers.agent.sources import ConfigError, Sources
from workers.agent.volumes import Volumes, refusals
from workers.runtime.protocol import ContainerSpec

# Fields of security contexts that runtimes are told about.
_POD_SECURITY = {"runAsUser", "runAsGroup", "runAsNonRoot"}
_SECURITY = _POD_SECURITY | {"privileged", "readOnlyRootFilesystem"}


def container_spec(
    pod: Object, container: Object, attempt: int, sources: Sources, volumes: Volumes, server: str = ""
) -> ContainerSpec:
    """What to start. Raises ConfigError, NotYetKnown (see `Sources`)."""
    variables = environment(container, sources, server)
    resources = container.get("resources") or {}
    limits, asked = resources.get("limits") or {}, resources.get("requests") or {}
    security = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    if security.get("runAsNonRoot") and security.get("runAsUser") == 0:
        raise ConfigError("container's runAsUser breaks non-root policy")
    return ContainerSpec(
        name=container["name"],
        attempt=attempt,
        image=container.get("image") or "",
        command=_words(container.get("command"), variables),
        args=_words(container.get("args"), variables),
        env=variables,
        working_dir=container.get("workingDir") or None,
        cpu_request_millis=quantity.millis(asked.get("cpu", limits.get("cpu", 0))),
        cpu_millis=quantity.millis(limits.get("cpu", 0)),
        memory_bytes=quantity.value(limits.get("memory", 0)),
        mounts=volumes.mounts(container),
        run_as_user=security.get("runAsUser"),
        run_as_group=security.get("runAsGroup"),
        tty=bool(container.get("tty")),
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        read_only_root=bool(security.get("readOnlyRootFilesystem")),
        privileged=bool(security.get("privileged")),
    )


def pull_policy(container: Object) -> str:
    """imagePullPolicy, which by default is Always for the tag `latest` and IfNotPresent for others."""
    if container.get("imagePullPolicy"):
        return str(container["imagePullPolicy"])
    image = str(container.get("image") or "")
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if "@" not in image and tag in ("", "latest") else "IfNotPresent"


def refused(pod: Object) -> list[str]:
    """What keeps the pod from running here at all; each names its field and says what of it."""
    spec = pod["spec"]
    found = refusals(pod)
    found += [f"spec.{k}: pods can't share this machine's own namespaces here" for k in _namespaces(spec)]
    for section in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(section) or ()):
            field = f"spec.{section}[{index}]"
            found += [f"{field}.{k} is not supported" for k in ("volumeDevices",) if container.get(k)]
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                if (container.get(kind) or {}).get("grpc"):
                    found.append(f"{field}.{kind}.grpc is not supported; use httpGet, tcpSocket or exec")
    return found


# Where a container leaves its last words unless it says otherwise (Kubernetes: terminationMessagePath).
USUAL_MESSAGE = "/dev/termination-log"
_WITHOUT_EFFECT = (
    "imagePullSecrets", "priorityClassName", "runtimeClassName", "setHostnameAsFQDN", "shareProcessNamespace",
)  # fmt: skip


def not_applied(pod: Object) -> list[str]:
    """What the pod asks for that has no effect here, so that it is told and not ignored in silence."""
    spec = pod["spec"]
    context = spec.get("securityContext") or {}
    found = [f"spec.securityContext.{k}" for k in sorted(set(context) - _POD_SECURITY)]
    for section in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(section) or ()):
            field = f"spec.{section}[{index}]"
            security = container.get("securityContext") or {}
            found += [f"{field}.securityContext.{k}" for k in sorted(set(security) - _SECURITY)]
            for at, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("subPathExpr"):
                    found.append(f"{field}.volumeMounts[{at}].subPathExpr")
            found += _ports(field, container)
            if container.get("terminationMessagePath", USUAL_MESSAGE) != USUAL_MESSAGE:
                found.append(f"{field}.terminationMessagePath")
    for index, volume in enumerate(spec.get("volumes") or ()):
        source = volume.get("emptyDir") or {}
        found += [f"spec.volumes[{index}].emptyDir.{k}" for k in ("medium", "sizeLimit") if source.get(k)]
    found += [f"spec.{k}" for k in _WITHOUT_EFFECT if spec.get(k)]
    return found


def _namespaces(spec: dict[str, Any]) -> Iterator[str]:
    return (k for k in ("hostNetwork", "hostPID", "hostIPC") if spec.get(k))


def _ports(field: str, container: Object) -> Iterator[str]:
    for at, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            yield f"{field}.ports[{at}].hostPort"


def _words(words: list[str] | None, variables: dict[str, str]) -> tuple[str, ...] | None:
    return None if not words else tuple(expand(str(w), variables) for w in words)
