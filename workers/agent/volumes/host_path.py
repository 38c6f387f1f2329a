"""What `hostPath.type` asks for, as kubelet checks it.

https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types
"""

from __future__ import annotations

from pathlib import Path

from app.objects.change import Object
from workers.agent.configuring.sources import ConfigError

# What a path is not, in kubelet's words (pkg/volume/hostpath).
_WORDS = {
    "Directory": "directory",
    "DirectoryOrCreate": "directory",
    "File": "file",
    "FileOrCreate": "file",
    "Socket": "socket file",
    "CharDevice": "character device",
    "BlockDevice": "block device",
}


def check_host_path(source: Object) -> None:
    """Make what is to be made, and see that it is what the pod expects. Raises ConfigError, OSError."""
    kind, path = source.get("type") or "", Path(source["path"])
    # Of a path of no type nothing is asked; a folder is what runtimes of Kubernetes make of one that is not there.
    if kind == "DirectoryOrCreate" or not kind:
        if not path.exists():
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
    elif kind == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    checks = {
        "Directory": path.is_dir,
        "File": path.is_file,
        "Socket": path.is_socket,
        "CharDevice": path.is_char_device,
        "BlockDevice": path.is_block_device,
        "DirectoryOrCreate": path.is_dir,
        "FileOrCreate": path.is_file,
    }
    if kind and not checks[kind]():
        raise ConfigError(f"hostPath type check failed: {path} is not a {_WORDS[kind]}")
