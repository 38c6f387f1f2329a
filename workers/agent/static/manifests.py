"""Files of pods that a node runs whatever the API says: from text to a whole Pod.

https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/. As kubelet: each file of the folder holds one Pod,
in YAML or JSON; files whose name begins with a dot are left alone. The pod's name gets the node's behind it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.base.clock import rfc3339
from app.base.errors import ApiError, BeanpoleError
from app.objects.admitted import PRIORITIES, with_requests
from app.objects.change import Object
from app.objects.references import references
from workers.agent.pod import HASH, SEEN, SOURCE

# A file that is larger is none of a pod. Bytes (kubelet: maxConfigLength).
LONGEST = 10 << 20
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_UID = re.compile(r"[A-Za-z0-9-]{1,64}")
_STAYS = {"operator": "Exists", "effect": "NoExecute"}


class BadManifest(BeanpoleError):
    """The file holds no pod that can be run; the message says why."""


@dataclass(slots=True)
class Folder:
    """A folder of files, looked at now and then; only what changed is read again.

    Attributes:
        pods: the pods by file name. A file that can't be read any more keeps the pod that it held.
        faults: what is wrong with files, by name.
    """

    path: Path
    node: str
    pods: dict[str, Object] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def look(self, now: float) -> bool:
        """Whether anything changed since the last time."""
        try:
            stamps = {
                entry.name: stamp for entry in self.path.iterdir() if (stamp := _stamp(entry)) is not None
            }
        except OSError as exc:
            # A folder that is away for a moment ends no pods.
            changed = self.faults != {"": str(exc)}
            self.faults = {"": str(exc)}
            return changed
        self.faults.pop("", None)
        if stamps == self._seen:
            return False
        for name in [name for name in self._seen if name not in stamps]:
            self.pods.pop(name, None)
            self.faults.pop(name, None)
        for name, stamp in stamps.items():
            if self._seen.get(name) != stamp:
                self._read(self.path / name, now)
        self._seen = stamps
        return True

    def _read(self, file: Path, now: float) -> None:
        self.faults.pop(file.name, None)
        try:
            with file.open("rb") as opened:
                data = opened.read(LONGEST + 1)
            self.pods[file.name] = static_pod(data, file, self.node, now)
        except (BadManifest, OSError) as exc:
            self.faults[file.name] = str(exc)


def static_pod(data: bytes, file: Path, node: str, now: float) -> Object:
    """The Pod in a file, with its defaults, bound to the node. Its uid follows from where it is and what it says.

    Raises:
        BadManifest: it is none, or draws on objects of the API, which a node may not fetch for it.
    """
    # Loaded with the first file: an agent without any pays nothing for it.
    from app.schemas import decode, defaults, kinds, validate

    kind = kinds.by_resource("pods")
    raw = _parsed(data)
    if (raw.get("apiVersion"), raw.get("kind")) != ("v1", "Pod"):
        raise BadManifest(f"holds a {raw.get('apiVersion')} {raw.get('kind')}, and no v1 Pod")
    try:
        pod, unknown = decode.decode(kind, raw)
        if unknown:
            raise BadManifest(", ".join(f'unknown field "{path}"' for path in unknown))
        pod = defaults.apply(kind, _bound(pod, data, file, node, now))
        pod["spec"] = with_requests(pod["spec"])
        _check_draws_on_nothing(pod)
        validate.validate(kind, pod)
    except ApiError as exc:
        raise BadManifest(str(exc)) from exc
    return pod


def _bound(pod: Object, data: bytes, file: Path, node: str, now: float) -> Object:
    meta, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    place = f"{node}\0{file}\0".encode()
    uid = str(meta.get("uid") or hashlib.blake2b(place + data, digest_size=16).hexdigest())
    if not _UID.fullmatch(uid):
        # Folders of the pod are named after it.
        raise BadManifest(f"metadata.uid {uid!r} must consist of letters, digits and '-'")
    kept = {key: meta[key] for key in ("labels",) if key in meta}
    notes = {**(meta.get("annotations") or {}), SOURCE: "file", HASH: uid, SEEN: rfc3339(now)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **kept,
            "name": f"{meta.get('name') or ''}-{node.lower()}",
            "namespace": meta.get("namespace") or "default",
            "uid": uid,
            "annotations": notes,
        },
        "spec": {
            "enableServiceLinks": True,
            **_priority(spec),
            **spec,
            "nodeName": node,
            "tolerations": [*(spec.get("tolerations") or ()), _STAYS],
        },
    }


def _priority(spec: Object) -> Object:
    """What the API will say of the two classes that every cluster has."""
    value = PRIORITIES.get(spec.get("priorityClassName") or "")
    return {} if value is None else {"priority": value}


def _check_draws_on_nothing(pod: Object) -> None:
    drawn = sorted(resource for resource, _ in references(pod))
    if pod["spec"].get("serviceAccountName"):
        drawn.append("serviceaccounts")
    if drawn:
        raise BadManifest(f"static pods can not reference {drawn[0]}")
    if pod["spec"].get("ephemeralContainers"):
        raise BadManifest("static pods can not have ephemeral containers")


def _parsed(data: bytes) -> Object:
    import yaml

    class Loader(yaml.CSafeLoader):
        """Times stay text, as in JSON."""

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: str(node.value))
    if len(data) > LONGEST:
        raise BadManifest(f"has more than {LONGEST} bytes")
    try:
        value: Any = json.loads(json.dumps(yaml.load(data.decode(), Loader=Loader)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as exc:
        raise BadManifest(f"can't be read: {' '.join(str(exc).split())[:200]}") from exc
    if not isinstance(value, dict):
        raise BadManifest("holds no object")
    return value


def _stamp(entry: Path) -> tuple[int, int, int] | None:
    """What tells a version of a file from others; None for what is none of a pod, gone since it was listed, or a link
    that leads nowhere. Raises OSError."""
    if entry.name.startswith("."):
        return None
    try:
        found = entry.stat()
    except OSError as exc:
        if exc.errno in _NOWHERE:
            return None
        raise
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None
