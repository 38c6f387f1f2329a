"""From a pod's security contexts to what its runtime is told. Pure but for reading seccomp profiles.

https://kubernetes.io/docs/tasks/configure-pod-container/security-context/: what a container says overrides what its
pod says, field by field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.objects.change import Object
from workers.agent.configuring.sources import ConfigError
from workers.agent.pod import full_name
from workers.runtime.protocol import KnowsImageUsers, Runtime
from workers.runtime.security import Seccomp, Security

_SE_LINUX = ("user", "role", "type", "level")


def context_of(pod: Object, container: Object) -> dict[str, Any]:
    """The container's security context, with what it has from its pod."""
    return {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}


def security(context: dict[str, Any], profiles: Path) -> Security:
    """What the runtime is told.

    Args:
        context: as `context_of` gives it. profiles: the folder of this node's seccomp profiles.

    Raises:
        ConfigError: there is no such profile.
    """
    capabilities = context.get("capabilities") or {}
    kind = Seccomp((context.get("seccompProfile") or {}).get("type") or "")
    armor = context.get("appArmorProfile") or {}
    labels = context.get("seLinuxOptions") or {}
    return Security(
        add=_capabilities(capabilities.get("add")),
        drop=_capabilities(capabilities.get("drop")),
        no_new_privileges=context.get("allowPrivilegeEscalation") is False,
        groups=_groups(context),
        only_groups=context.get("supplementalGroupsPolicy") == "Strict",
        seccomp=kind,
        profile=_profile(context["seccompProfile"], profiles) if kind is Seccomp.FILE else "",
        app_armor={"Unconfined": "unconfined", "Localhost": armor.get("localhostProfile") or ""}.get(
            armor.get("type") or "", ""
        ),
        se_linux=tuple((key, str(labels[key])) for key in _SE_LINUX if labels.get(key)),
        unmasked_proc=context.get("procMount") == "Unmasked",
    )


def check_non_root(pod: Object, container: Object, image_user: str) -> None:
    """Keep a container that says `runAsNonRoot` from running as root; the words are kubelet's.

    Args:
        image_user: whom the image says it runs as: a number or a name, perhaps with a group; empty is root.

    Raises:
        ConfigError: it would, or nobody can tell.
    """
    context = context_of(pod, container)
    if not context.get("runAsNonRoot"):
        return
    where = f'(pod: "{full_name(pod)}", container: {container["name"]})'
    if context.get("runAsUser") is not None:
        if context["runAsUser"] == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    user = image_user.partition(":")[0]
    if not user or (user.isdigit() and int(user) == 0):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
    if not user.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root {where}"
        )


def check_user(runtime: Runtime, pod: Object, container: Object) -> None:
    """`check_non_root` of an image that the runtime has. Raises ConfigError, ContainerError."""
    context = context_of(pod, container)
    if not context.get("runAsNonRoot"):
        return
    user = "1"  # where nobody knows users there is nobody to run as
    if context.get("runAsUser") is None and isinstance(runtime, KnowsImageUsers):
        user = runtime.image_user(str(container["image"]))
    check_non_root(pod, container, user)


def _capabilities(names: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(name).upper().removeprefix("CAP_") for name in names or ()))


def _groups(context: dict[str, Any]) -> tuple[int, ...]:
    """Those asked for, and the one that owns the volumes, which is the container's as well."""
    asked = [*(context.get("supplementalGroups") or ())]
    if context.get("fsGroup") is not None:
        asked.append(context["fsGroup"])
    return tuple(dict.fromkeys(int(group) for group in asked))


def _profile(asked: dict[str, Any], folder: Path) -> str:
    name = str(asked.get("localhostProfile") or "")
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"seccomp profile {name!r} must lie in {folder}")
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot load seccomp profile {path}: {exc}") from exc
