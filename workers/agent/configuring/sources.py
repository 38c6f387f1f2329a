"""What a container's configuration is drawn from: the pod, its node, ConfigMaps, Secrets, services."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent.configuring import pod_fields
from workers.agent.configuring.pod_fields import NoSuchField

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
        address: the pod's IP; node_ip: its node's. allocatable: what the node has for
            pods, as in its status.
        services: all services of the cluster.
        tokens: gives the token that a volume source of the pod asks for; None where nobody could use one.
    """

    pod: Object
    objects: Mapping[str, Object | None]
    address: str = ""
    node_ip: str = ""
    allocatable: Mapping[str, str] = field(default_factory=dict)
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

    def texts(self, resource: str, name: str, optional: bool) -> dict[str, str] | None:
        """As `entries`, for variables: `binaryData` can't be one."""
        entries = self.entries(resource, name, optional)
        if entries is None:
            return None
        found = self.objects[f"{resource} {self.pod['metadata'].get('namespace', '')}/{name}"]
        names = (found or {}).get("data") or {}
        return {key: entries[key].decode("utf-8", "replace") for key in names}

    def field(self, path: str) -> str:
        """The value of a downward API field (fieldRef). Raises ConfigError."""
        try:
            return pod_fields.field(self.pod, path, self.address, self.node_ip)
        except NoSuchField as exc:
            raise ConfigError(str(exc)) from exc

    def resource(self, ref: Object, container: Object) -> str:
        """The value of a resourceFieldRef; a limit that isn't set is the node's allocatable. Raises ConfigError."""
        try:
            return pod_fields.resource(self.pod, ref, container, self.allocatable)
        except NoSuchField as exc:
            raise ConfigError(str(exc)) from exc


def data_of(resource: str, obj: Object) -> dict[str, bytes]:
    """All entries of a ConfigMap or Secret as bytes."""
    if resource == "secrets":
        return {k: base64.b64decode(v or "") for k, v in (obj.get("data") or {}).items()}
    entries = {k: str(v).encode() for k, v in (obj.get("data") or {}).items()}
    entries.update((k, base64.b64decode(v)) for k, v in (obj.get("binaryData") or {}).items())
    return entries
