"""What a container's configuration is drawn from: the pod, its node, ConfigMaps, Secrets, services."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.base.errors import BeanpoleError
from app.objects import quantity
from app.objects.change import Object
from workers.agent.pod import containers, init_containers

KIND_OF = {"configmaps": "configmap", "secrets": "secret"}


class ConfigError(BeanpoleError):
    """The container can't be configured as the pod asks: CreateContainerConfigError. The message is what
    kubelet says."""


class NotYetKnown(BeanpoleError):
    """An object that the pod refers to has not come from the API yet; the next exchange brings it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What one pod may draw on.

    Attributes:
        objects: `"configmaps ns/name"` -> the object, or None if there is none. What is missing here is not
            known yet.
        address: the pod's IP; node_ip: its node's. allocatable: cpu in millicores, memory in bytes.
        services: all services of the cluster.
        tokens: gives the token that a volume source of the pod asks for; None where nobody could use one.
    """

    pod: Object
    objects: Mapping[str, Object | None]
    address: str = ""
    node_ip: str = ""
    allocatable: tuple[int, int] = (0, 0)
    services: tuple[Object, ...] = field(default=())
    tokens: Callable[[Object, Object], str] | None = None

    def entries(self, resource: str, name: str, optional: bool) -> dict[str, bytes] | None:
        """The data of a ConfigMap or Secret of the pod's namespace; None if it is missing and optional."""
        namespace = self.pod["metadata"].get("namespace", "")
        key = f"{resource} {namespace}/{name}"
        if key not in self.objects:
            raise NotYetKnown(key)
        found = self.objects[key]
        if found is None:
            if optional:
                return None
            raise ConfigError(f'{KIND_OF[resource]} "{name}" not found')
        return data_of(resource, found)

    def account_token(self, source: Object) -> str | None:
        """The token that a volume source asks for, if there are any here. Raises ConfigError."""
        return None if self.tokens is None else self.tokens(self.pod, source)

    def field(self, path: str) -> str:
        """The value of a downward API field (fieldRef)."""
        meta, spec = self.pod["metadata"], self.pod["spec"]
        if path.endswith("']") and (kind := path.partition("['")[0]) in (
            "metadata.labels",
            "metadata.annotations",
        ):
            return str((meta.get(kind.partition(".")[2]) or {}).get(path.partition("['")[2][:-2], ""))
        plain: dict[str, Any] = {
            "metadata.name": meta["name"],
            "metadata.namespace": meta.get("namespace", ""),
            "metadata.uid": meta["uid"],
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "status.hostIP": self.node_ip,
            "status.hostIPs": self.node_ip,
            "status.podIP": self.address,
            "status.podIPs": self.address,
        }
        if path in plain:
            return str(plain[path])
        if path in ("metadata.labels", "metadata.annotations"):
            pairs = meta.get(path.partition(".")[2]) or {}
            return "\n".join(f'{k}="{_quoted(v)}"' for k, v in sorted(pairs.items()))
        raise ConfigError(f"unsupported fieldPath: {path}")

    def resource(self, ref: Object, container: Object) -> str:
        """The value of a resourceFieldRef; a limit that isn't set is the node's allocatable."""
        owner = ref.get("containerName")
        if owner:
            named = [c for c in (*containers(self.pod), *init_containers(self.pod)) if c["name"] == owner]
            if not named:
                raise ConfigError(f'container "{owner}" not found')
            container = named[0]
        section, _, name = str(ref["resource"]).partition(".")
        resources = container.get("resources") or {}
        given = (resources.get(section) or {}).get(name)
        divisor = ref.get("divisor") or "1"
        divisor = "1" if str(divisor) == "0" else divisor
        if given is None and section == "limits" and name in ("cpu", "memory"):
            given = quantity.of_millis(self.allocatable[0]) if name == "cpu" else str(self.allocatable[1])
        return str(-(-quantity.nanos(given or 0) // quantity.nanos(divisor)))


def data_of(resource: str, obj: Object) -> dict[str, bytes]:
    """All entries of a ConfigMap or Secret as bytes."""
    if resource == "secrets":
        return {k: base64.b64decode(v or "") for k, v in (obj.get("data") or {}).items()}
    entries = {k: str(v).encode() for k, v in (obj.get("data") or {}).items()}
    entries.update((k, base64.b64decode(v)) for k, v in (obj.get("binaryData") or {}).items())
    return entries


def _quoted(text: object) -> str:
    return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
