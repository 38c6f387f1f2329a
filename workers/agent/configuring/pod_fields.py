"""What a pod may know of itself: fields of its own (fieldRef), and what its containers may use (resourceFieldRef).

https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.base.errors import BeanpoleError
from app.objects import quantity
from app.objects.change import Object
from workers.agent.pod import containers, init_containers

_SUBSCRIPTED = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]", re.DOTALL)
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
# Of which a container that has no limit may use what the node has for pods.
_OF_NODE = ("cpu", "memory", "ephemeral-storage")


class NoSuchField(BeanpoleError):
    """The pod has nothing of that name."""


def field(pod: Object, path: str, address: str, node_ip: str) -> str:
    """The value of a fieldRef. Raises NoSuchField."""
    meta, spec = pod["metadata"], pod["spec"]
    subscripted = _SUBSCRIPTED.fullmatch(path)
    if subscripted:
        return str((meta.get(subscripted[1]) or {}).get(subscripted[2], ""))
    plain: dict[str, Any] = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta.get("namespace", ""),
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": node_ip,
        "status.hostIPs": node_ip,
        "status.podIP": address,
        "status.podIPs": address,
    }
    if path in plain:
        return str(plain[path])
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = meta.get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={quoted(str(value))}" for key, value in sorted(pairs.items()))
    raise NoSuchField(f"unsupported fieldPath: {path}")


def resource(pod: Object, ref: Object, container: Object, allocatable: Mapping[str, str]) -> str:
    """The value of a resourceFieldRef of a container, or of the one it names; a limit that isn't set is the node's
    `allocatable`. Raises NoSuchField."""
    owner = ref.get("containerName")
    if owner:
        named = [c for c in (*containers(pod), *init_containers(pod)) if c["name"] == owner]
        if not named:
            raise NoSuchField(f"container {owner} not found")
        container = named[0]
    section, _, name = str(ref["resource"]).partition(".")
    given = ((container.get("resources") or {}).get(section) or {}).get(name)
    if section == "limits" and name in _OF_NODE and not quantity.nanos(given or 0):
        given = allocatable.get(name)
    divisor = quantity.nanos(ref.get("divisor") or 0) or quantity.NANO
    return str(-(-quantity.nanos(given or 0) // divisor))


def quoted(text: str) -> str:
    """As Go writes a string with `%q`."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char.isprintable():
            out.append(char)
        elif ord(char) < 0x80:
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return f'"{"".join(out)}"'
