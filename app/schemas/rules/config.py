"""Rules for ConfigMaps, Secrets, nodes, events and bindings (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

import base64

import orjson

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import data_key

DATA_LIMIT = 1024 * 1024
# What a secret of a certain type must hold.
SECRET_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
# Which of these are JSON.
JSON_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}
ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"


def config_map(given: Object, path: str, faults: Faults) -> None:
    data, binary = given.get("data") or {}, given.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        faults.all_invalid(f"data[{key}]", key, data_key(key))
        if key in binary:
            faults.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode("utf-8", "surrogatepass"))
    for key, value in binary.items():
        faults.all_invalid(f"binaryData[{key}]", key, data_key(key))
        size += len(base64.b64decode(value))
    if size > DATA_LIMIT:
        # Kubernetes shows the path of the whole so.
        faults.too_long("[]", DATA_LIMIT)


def secret(given: Object, path: str, faults: Faults) -> None:
    data = given.get("data") or {}
    size = 0
    for key, value in data.items():
        faults.all_invalid(f"data[{key}]", key, data_key(key))
        size += len(base64.b64decode(value))
    if size > DATA_LIMIT:
        faults.too_long("data", DATA_LIMIT)
    kind = given.get("type", "")
    for key in SECRET_KEYS.get(kind, ()):
        if key not in data:
            faults.required(f"data[{key}]")
    for key in JSON_KEYS.get(kind, ()):
        if key in data and (wrong := _not_json(base64.b64decode(data[key]))):
            faults.invalid(f"data[{key}]", "<secret contents redacted>", wrong)
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        faults.required("data[username]")
        faults.required("data[password]")
    if kind == "kubernetes.io/service-account-token":
        annotations = given.get("metadata", {}).get("annotations") or {}
        if not annotations.get(ACCOUNT_ANNOTATION):
            faults.required(f"metadata.annotations[{ACCOUNT_ANNOTATION}]")


def _not_json(text: bytes) -> str:
    """What is wrong with what should be JSON, in Go's words as far as they can be told; empty if nothing is."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        start = text.lstrip()[:1]
        if start and start not in b'{["-0123456789tfn':
            return f"invalid character '{start.decode('ascii', 'replace')}' looking for beginning of value"
        return "unexpected end of JSON input"
    return ""


def node_spec(spec: Object, path: str, faults: Faults) -> None:
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(spec.get("taints") or ()):
        where = f"{path}.taints[{i}]"
        key = (taint.get("key") or "", taint.get("effect") or "")
        if key in seen:
            faults.duplicate(where, taint, "taints must be unique by key and effect pair")
        seen.add(key)


def event(given: Object, path: str, faults: Faults) -> None:
    """An event lives where its object lives; those of objects without a namespace live in `default`."""
    namespace = given.get("metadata", {}).get("namespace", "")
    about = (given.get("involvedObject") or {}).get("namespace", "")
    if (about and about != namespace) or (not about and namespace not in ("", "default", "kube-system")):
        faults.invalid("involvedObject.namespace", about, "does not match event.namespace")


def binding(given: Object, path: str, faults: Faults) -> None:
    target = given.get("target") or {}
    if target.get("kind") not in (None, "", "Node"):
        faults.not_supported("target.kind", target["kind"], ("Node", "<empty>"))
    if not target.get("name"):
        faults.required("target.name")
