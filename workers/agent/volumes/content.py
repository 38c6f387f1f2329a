"""The files of volumes that are drawn from objects: configMap, secret, downwardAPI and projected.

https://kubernetes.io/docs/concepts/storage/projected-volumes/
"""

from __future__ import annotations

from pathlib import Path

from app.objects.change import Object
from workers.agent.configuring.sources import ConfigError, Sources
from workers.agent.pod import containers, init_containers
from workers.agent.volumes.atomic_files import File, Files

KINDS = ("configMap", "secret", "downwardAPI")
TOKEN = "serviceAccountToken"
_MISSING_KEY = {
    "configMap": "configmap references non-existent config key: {}",
    "secret": "references non-existent secret key: {}",
}
# A token is for one reader: whoever runs the pod, or the pod's group, which is let in on top of this.
TOKEN_MODE = 0o600


def kind_of(volume: Object) -> str:
    """`configMap`, `secret`, `downwardAPI` or `projected`; empty for what holds no objects."""
    return next((k for k in (*KINDS, "projected") if k in volume), "")


def has_token(volume: Object) -> bool:
    return any(TOKEN in piece for piece in (volume.get("projected") or {}).get("sources") or ())


def are_live(pod: Object, *, tokens: bool) -> bool:
    """Whether the content of one of the pod's volumes follows what may change. `tokens`: somebody reads those that hold
    one."""
    volumes = pod["spec"].get("volumes") or ()
    return any(kind_of(v) and (tokens or not has_token(v)) for v in volumes)


def content(volume: Object, sources: Sources) -> Files:
    """All its files.

    Raises:
        ConfigError: what they are drawn from does not exist, or a path leads out. NotYetKnown: or has not come yet.
    """
    kind = kind_of(volume)
    source = volume[kind] or {}
    mode, user = source.get("defaultMode", 0o644), source.get("defaultUser")
    if kind != "projected":
        return _of(kind, source, mode, user, sources)
    files: Files = {}
    for piece in source.get("sources") or ():
        if piece.get(TOKEN):
            files.update(_token(piece[TOKEN], mode, user, sources))
        for word in KINDS:
            if piece.get(word):
                files.update(_of(word, piece[word], mode, user, sources))
    return files


def _of(kind: str, source: Object, mode: int, user: int | None, sources: Sources) -> Files:
    items = source.get("items")
    if kind == "downwardAPI":
        return {_inside(i["path"]): _file(_downward(i, sources), i, mode, user) for i in items or ()}
    name = source.get("secretName") or source.get("name") or ""
    optional = bool(source.get("optional"))
    entries = sources.entries("secrets" if kind == "secret" else "configmaps", name, optional)
    if entries is None:
        return {}
    if not items:
        return {key: File(content, mode, user) for key, content in entries.items()}
    files: Files = {}
    for item in items:
        if item["key"] in entries:
            files[_inside(item["path"])] = _file(entries[item["key"]], item, mode, user)
        elif not optional:
            raise ConfigError(_MISSING_KEY[kind].format(item["key"]))
    return files


def _file(text: bytes, item: Object, mode: int, user: int | None) -> File:
    own_mode, own_user = item.get("mode"), item.get("user")
    return File(text, mode if own_mode is None else own_mode, user if own_user is None else own_user)


def _token(source: Object, mode: int, user: int | None, sources: Sources) -> Files:
    token = sources.account_token(source)
    if token is None:
        return {}
    security = sources.pod["spec"].get("securityContext") or {}
    reader = only_user(sources.pod)
    if source.get("user") is not None:
        reader = source["user"]
    if reader is not None or security.get("fsGroup") is not None:
        mode = TOKEN_MODE
    return {_inside(source["path"]): File(token.encode(), mode, user if reader is None else reader)}


def only_user(pod: Object) -> int | None:
    """The user as whom every container of the pod runs, if all say so and agree (pkg/volume/util: FsUserFrom)."""
    whole = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    users = {
        (each.get("securityContext") or {}).get("runAsUser", whole)
        for each in (*init_containers(pod), *containers(pod))
    }
    return users.pop() if len(users) == 1 else None


def _downward(item: Object, sources: Sources) -> bytes:
    if item.get("resourceFieldRef"):
        return sources.resource(item["resourceFieldRef"], {}).encode()
    return sources.field((item.get("fieldRef") or {}).get("fieldPath", "")).encode()


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in Path(path).parts or not path:
        raise ConfigError(f"path {path!r} must stay inside its volume")
    return path
