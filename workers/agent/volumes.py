"""A pod's volumes, as folders of the machine.

emptyDir, configMap, secret, downwardAPI and projected live under `<state_dir>/pods/<node>/<uid>/volumes/<name>`;
hostPath is what it names, and what a claim leads to says `claims`. What is drawn from objects is written as kubelet's AtomicWriter does: the files
lie in a folder of their own to which `..data` points, and every change of content is one rename of that link.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from app.objects.change import Object
from app.objects.persistent import claim_of
from workers.agent.claims import Claims, Place
from workers.agent.host_path import check_host_path
from workers.agent.sources import ConfigError, Sources
from workers.runtime.protocol import Mount

CLAIMED = ("persistentVolumeClaim", "ephemeral")
SUPPORTED = ("emptyDir", "configMap", "secret", "downwardAPI", "projected", "hostPath", *CLAIMED)
PROJECTED = ("configMap", "secret", "downwardAPI")
TOKEN = "serviceAccountToken"

# A file's content and mode, by its path inside the volume.
Files = dict[str, tuple[bytes, int]]


def refusals(pod: Object) -> list[str]:
    """What of the pod's volumes can't be had here; each names its field."""
    found = []
    for index, volume in enumerate(pod["spec"].get("volumes") or ()):
        field = f"spec.volumes[{index}]"
        kinds = [k for k in volume if k != "name"]
        found += [
            f"{field}.{kind}: this kind of volume is not supported" for kind in kinds if kind not in SUPPORTED
        ]
        for at, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            found += [
                f"{field}.projected.sources[{at}].{kind}: this kind of source is not supported"
                for kind in source
                if kind not in (*PROJECTED, TOKEN)
            ]
    return found


class Volumes:
    """The volumes of one pod.

    Args:
        root: the pod's own folder, `<state_dir>/pods/<node>/<uid>`. claims: finds what its claims lead to.
    """

    def __init__(self, root: Path, pod: Object, claims: Claims | None = None) -> None:
        self._root = root / "volumes"
        self._pod, self._claims = pod, claims
        self._places: dict[str, Place] = {}
        self._volumes: dict[str, Object] = {v["name"]: v for v in pod["spec"].get("volumes") or ()}

    def write(self, sources: Sources) -> None:
        """Make all volumes, and bring those drawn from objects up to date.

        Raises:
            ConfigError: what they draw on does not exist. NotYetKnown: or has not come yet.
            OSError: the machine refused.
        """
        for index, (name, volume) in enumerate(self._volumes.items()):
            folder = self._root / name
            if any(kind in volume for kind in CLAIMED):
                self._places[name] = self._claimed(volume, f"spec.volumes[{index}]")
                continue
            if sources.tokens is None and _has_token(volume):
                continue  # nobody here could read it
            if "hostPath" in volume:
                check_host_path(volume["hostPath"] or {})
            elif _content_kind(volume):
                write_atomically(folder, _files(volume, sources))
            else:
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o777)

    def _claimed(self, volume: Object, field: str) -> Place:
        if self._claims is None:
            raise ConfigError(f"{field}: claims can't be mounted here")
        read_only = bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))
        kind = next(kind for kind in CLAIMED if kind in volume)
        return self._claims.place(self._pod, claim_of(self._pod, volume), read_only, f"{field}.{kind}")

    def is_live(self) -> bool:
        """Whether a volume's content follows objects that may change."""
        return any(_content_kind(v) for v in self._volumes.values())

    def mounts(self, container: Object) -> tuple[Mount, ...]:
        """What the container sees of them, the outermost folder first.

        Raises:
            ConfigError: it mounts a volume that the pod doesn't have, or leaves the volume by its subPath.
        """
        found = []
        for mount in container.get("volumeMounts") or ():
            volume = self._volumes.get(mount["name"])
            if volume is None:
                raise ConfigError(f'no volume with name "{mount["name"]}" in the pod')
            place = self._places.get(mount["name"], Place())
            if place.engine is not None:
                found.append(_by_engine(mount, place))
                continue
            path = Path(volume["hostPath"]["path"]) if "hostPath" in volume else (self._root / mount["name"])
            path = place.path or path
            sub = mount.get("subPath") or ""
            if sub:
                if sub.startswith("/") or ".." in Path(sub).parts:
                    raise ConfigError(f"volumeMounts.subPath {sub!r} must stay inside its volume")
                path = path / sub
                if not path.exists():
                    path.mkdir(parents=True)
                # The link would be left behind by the next change, as in Kubernetes: a subPath never follows.
                path = path.resolve()
            content = bool(_content_kind(volume))
            found.append(
                Mount(
                    str(path.absolute()),
                    mount["mountPath"],
                    bool(mount.get("readOnly")) or content or place.read_only,
                )
            )
        return tuple(sorted(found, key=lambda m: m.target))


def _by_engine(mount: Object, place: Place) -> Mount:
    if mount.get("subPath"):
        raise ConfigError(
            f"volumeMounts.subPath {mount['subPath']!r}: not supported in a volume of the container engine"
        )
    read_only = place.read_only or bool(mount.get("readOnly"))
    return Mount("", mount["mountPath"], read_only, place.engine)


def remove(root: Path) -> None:
    """Remove a pod's folder. Already gone is no error."""
    if os.path.lexists(root):
        shutil.rmtree(root, ignore_errors=True)


def write_atomically(folder: Path, files: Files) -> None:
    """Make `folder` hold just these files, in one step for whoever reads it."""
    digest = hashlib.sha256()
    for path, (content, mode) in sorted(files.items()):
        digest.update(f"{path}\0{mode}\0{len(content)}\0".encode() + content)
    version = f"..{digest.hexdigest()[:20]}"
    data = folder / "..data"
    if data.is_symlink() and os.readlink(data) == version:
        return
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / version
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o755)
    for path, (content, mode) in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(mode)
    link = folder / "..data_new"
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.rename(data)
    tops = {path.partition("/")[0] for path in files}
    for top in tops:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f"..data/{top}")
    for entry in folder.iterdir():
        if entry.name.startswith("..") and entry.name not in (version, "..data"):
            shutil.rmtree(entry, ignore_errors=True)
        elif not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink()


def _content_kind(volume: Object) -> str:
    """`configMap`, `secret`, `downwardAPI` or `projected`; empty for what holds no objects."""
    return next((k for k in ("configMap", "secret", "downwardAPI", "projected") if k in volume), "")


def _has_token(volume: Object) -> bool:
    return any(TOKEN in piece for piece in (volume.get("projected") or {}).get("sources") or ())


def _files(volume: Object, sources: Sources) -> Files:
    kind = _content_kind(volume)
    source = volume[kind] or {}
    mode = source.get("defaultMode", 0o644)
    if kind != "projected":
        return _files_of(kind, source, mode, sources)
    files: Files = {}
    for piece in source.get("sources") or ():
        if piece.get(TOKEN):
            token = sources.account_token(piece[TOKEN])
            if token is not None:
                files[_inside(piece[TOKEN]["path"])] = (token.encode(), mode)
        for word in PROJECTED:
            if piece.get(word):
                files.update(_files_of(word, piece[word], mode, sources))
    return files


def _files_of(kind: str, source: Object, mode: int, sources: Sources) -> Files:
    items = source.get("items")
    if kind == "downwardAPI":
        return {
            _inside(i["path"]): (_downward(i, sources).encode(), i.get("mode") or mode) for i in items or ()
        }
    name = source.get("secretName") or source.get("name") or ""
    optional = bool(source.get("optional"))
    entries = sources.entries("secrets" if kind == "secret" else "configmaps", name, optional)
    if entries is None:
        return {}
    if not items:
        return {key: (content, mode) for key, content in entries.items()}
    files: Files = {}
    for item in items:
        if item["key"] in entries:
            files[_inside(item["path"])] = (entries[item["key"]], item.get("mode") or mode)
        elif not optional:
            raise ConfigError(f'references non-existent {kind} key: {item["key"]} in "{name}"')
    return files


def _downward(item: Object, sources: Sources) -> str:
    if item.get("resourceFieldRef"):
        return sources.resource(item["resourceFieldRef"], {})
    return sources.field((item.get("fieldRef") or {}).get("fieldPath", ""))


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in Path(path).parts or not path:
        raise ConfigError(f"path {path!r} must stay inside its volume")
    return path
