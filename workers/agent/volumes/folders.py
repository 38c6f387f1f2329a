"""The folders of this node's own volumes: `<state_dir>/volumes/<node>/<volume>`.

They are made when a pod first mounts them, and removed when nobody's any more. Removing trusts nothing that an object
says: only a real folder that lies directly in this node's own is ever removed, and no symbolic link is followed.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from app.base.trees import remove_tree
from app.objects.change import Object
from app.objects.persistent import LOCAL, PROVISIONED_BY
from workers.runtime.host_mounts import below, mounted

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class NotOurs(Exception):
    """It is no folder of this node's own; the message says why."""


class VolumeFolders:
    """See the module. Args: root: the node's own folder, an absolute path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def owns(self, volume: Object) -> bool:
        """Whether the volume is one of this node's own folders."""
        path = (volume["spec"].get("local") or {}).get("path")
        made = (volume["metadata"].get("annotations") or {}).get(PROVISIONED_BY)
        return made == LOCAL and path == str(self.root / _checked(volume["metadata"]["name"]))

    def make(self, volume: Object) -> Path:
        """The folder, made if it is not there: open to whatever user a container runs as. Raises OSError, NotOurs."""
        path = self.root / _checked(volume["metadata"]["name"])
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir()
        except FileExistsError:
            if path.is_symlink() or not path.is_dir():
                raise NotOurs(f"{path} is no folder") from None
            if _is_used(path):
                return path
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o777)
        return path

    def remove(self, volume: Object) -> None:
        """Remove the folder and all that is in it. Already gone is no error.

        Raises:
            NotOurs: the volume names another place, or what lies there is no folder or has something mounted in it.
            OSError: the machine refused. Doing it again goes on where this ended.
        """
        name = _checked(volume["metadata"]["name"])
        if not self.owns(volume):
            raise NotOurs(f"volume {name} is no folder of this node's own in {self.root}")
        try:
            root = os.open(self.root, _FOLDER)
        except FileNotFoundError:
            return
        except NotADirectoryError as exc:
            raise NotOurs(f"{self.root} is no folder") from exc
        try:
            # A link in its place is refused here, and none is followed further down.
            os.close(os.open(name, _FOLDER, dir_fd=root))
            # What is mounted in it is not the volume's.
            inside = below(self.root / name, mounted())
            if inside:
                raise NotOurs(f"{inside[0]} is mounted in it")
            remove_tree(name, dir_fd=root)
        except FileNotFoundError:
            return
        except NotADirectoryError as exc:
            raise NotOurs(f"{self.root / name} is no folder") from exc
        finally:
            os.close(root)


def _is_used(path: Path) -> bool:
    """Whether a pod had it already, and may have changed its owner and mode. If not, it was made, and then the agent was
    killed, perhaps."""
    try:
        with os.scandir(path) as found:
            return any(found) or path.stat().st_uid != os.geteuid()
    except PermissionError:
        return True


def _checked(name: str) -> str:
    """A name that may be one part of a path."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise NotOurs(f"{name!r} can't be the name of a folder")
    return name
