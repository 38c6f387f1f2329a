"""A container's environment variables.

https://kubernetes.io/docs/tasks/inject-data-application/ and, for services,
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from app.objects.change import Object
from workers.agent.configuring import env_files
from workers.agent.configuring.sources import ConfigError, Sources

_RESOURCE = {"configMap": "configmaps", "secret": "secrets"}
_WORD = {"configMap": "ConfigMap", "secret": "Secret"}


def environment(
    container: Object, sources: Sources, server: str = "", folder: Callable[[str], Path] | None = None
) -> dict[str, str]:
    """The whole environment; later sources win over earlier ones: services, envFrom, env.

    Args:
        server: the API's URL, for KUBERNETES_SERVICE_HOST where no service `kubernetes` exists.
        folder: where a volume of the pod lies, for files with variables in them.

    Raises:
        ConfigError: something it draws on does not exist. NotYetKnown: or has not come yet.
    """
    links = service_variables(sources, server)
    result: dict[str, str] = {}
    known = ChainMap(result, links)
    for source in container.get("envFrom") or ():
        result.update(_from(source, sources))
    for variable in container.get("env") or ():
        name = variable["name"]
        if variable.get("valueFrom"):
            value = _value_from(variable["valueFrom"], container, sources, folder)
            if value is not None:
                result[name] = value
        else:
            result[name] = expand(str(variable.get("value") or ""), known)
    return {**links, **result}


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` becomes the variable's value and stays as it is if there is none; `$$` is a plain `$`
    (k8s.io/kubernetes/third_party/forked/golang/expansion)."""
    if "$" not in text:
        return text
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "$" or at + 1 == len(text):
            out.append(text[at])
            at += 1
            continue
        following = text[at + 1]
        if following == "$":
            out.append("$")
            at += 2
        elif following == "(" and (end := text.find(")", at + 2)) >= 0:
            name = text[at + 2 : end]
            out.append(variables.get(name, f"$({name})"))
            at = end + 1
        else:
            out.append("$" + following)
            at += 2
    return "".join(out)


def service_variables(sources: Sources, server: str = "") -> dict[str, str]:
    """What tells a container of the services of its namespace, unless enableServiceLinks is false, and always of
    the API."""
    namespace = sources.pod["metadata"].get("namespace", "")
    links = sources.pod["spec"].get("enableServiceLinks") is not False
    found: dict[str, str] = {}
    if server:
        parts = urlsplit(server)
        found["KUBERNETES_SERVICE_HOST"] = parts.hostname or ""
        found["KUBERNETES_SERVICE_PORT"] = str(parts.port or 443)
    for service in sources.services:
        meta = service["metadata"]
        api = (meta.get("namespace"), meta["name"]) == ("default", "kubernetes")
        if api or (links and meta.get("namespace") == namespace):
            found.update(_of_service(service))
    return found


def _of_service(service: Object) -> dict[str, str]:
    spec = service.get("spec") or {}
    ip = spec.get("clusterIP") or ""
    ports = spec.get("ports") or []
    if not ports or ip in ("", "None"):
        return {}
    prefix = service["metadata"]["name"].upper().replace("-", "_").replace(".", "_")
    found = {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            found[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    first = ports[0]
    found[f"{prefix}_PORT"] = f"{(first.get('protocol') or 'TCP').lower()}://{ip}:{first['port']}"
    for port in ports:
        protocol = port.get("protocol") or "TCP"
        name = f"{prefix}_PORT_{port['port']}_{protocol.upper()}"
        found[name] = f"{protocol.lower()}://{ip}:{port['port']}"
        found[f"{name}_PROTO"] = protocol.lower()
        found[f"{name}_PORT"] = str(port["port"])
        found[f"{name}_ADDR"] = ip
    return found


def _from(source: Object, sources: Sources) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for word, resource in _RESOURCE.items():
        chosen = source.get(f"{word}Ref")
        if chosen:
            texts = sources.texts(resource, chosen.get("name", ""), bool(chosen.get("optional")))
            # Any key that an object can have may be a variable's name (since Kubernetes 1.30 none is skipped).
            return {prefix + key: value for key, value in sorted((texts or {}).items())}
    return {}


def _value_from(
    origin: Object, container: Object, sources: Sources, folder: Callable[[str], Path] | None
) -> str | None:
    """The value, or None where what it draws on is missing and optional."""
    if origin.get("fieldRef"):
        return sources.field(origin["fieldRef"]["fieldPath"])
    if origin.get("resourceFieldRef"):
        return sources.resource(origin["resourceFieldRef"], container)
    if origin.get("fileKeyRef") and folder is not None:
        return env_files.value(origin["fileKeyRef"], folder)
    for word, resource in _RESOURCE.items():
        chosen = origin.get(f"{word}KeyRef")
        if not chosen:
            continue
        optional = bool(chosen.get("optional"))
        texts = sources.texts(resource, chosen.get("name", ""), optional)
        if texts is None:
            return None
        if chosen["key"] in texts:
            return texts[chosen["key"]]
        if optional:
            return None
        namespace = sources.pod["metadata"].get("namespace", "")
        raise ConfigError(
            f"couldn't find key {chosen['key']} in {_WORD[word]} {namespace}/{chosen.get('name')}"
        )
    raise ConfigError(f"valueFrom of an unknown kind: {', '.join(sorted(origin))}")
