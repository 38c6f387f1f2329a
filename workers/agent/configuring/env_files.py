"""Variables out of files that an init container wrote (fileKeyRef).

https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from app.objects.change import Object
from workers.agent.configuring.sources import ConfigError
from workers.runtime.beneath import open_beneath

# Nobody needs more for variables, and a file may grow while it is read.
LARGEST = 64 << 10
# A line is empty, a comment, or NAME='value', of which the value may go on over several lines.
_PART = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)|[ \t]*([^=\s#']+)='([^']*)'[ \t]*(?:\n|\Z)")


def value(ref: Object, folder: Callable[[str], Path]) -> str | None:
    """The value that `ref` asks for; None if it is not there and optional.

    Args:
        folder: where a volume of the pod lies.

    Raises:
        ConfigError: it is not there, or the file is not one of variables.
    """
    name, path, key = ref["volumeName"], ref["path"], ref["key"]
    try:
        found = parse(_read(folder(name), path)).get(key)
    except FileNotFoundError:
        found = None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f'failed to read environment file "{path}" of volume "{name}": {exc}') from exc
    except ValueError as exc:
        raise ConfigError(f'environment file "{path}" of volume "{name}": {exc}') from exc
    if found is None and not ref.get("optional"):
        raise ConfigError(f'environment variable key "{key}" not found in file "{path}" of volume "{name}"')
    return found


def parse(text: str) -> dict[str, str]:
    """All variables of a file; of one that is there twice the last. Raises ValueError: it does not read like this."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part.end() == at:
            line = text.count("\n", 0, at) + 1
            raise ValueError(f"line {line} is not like NAME='value'")
        if part[1] is not None:
            found[part[1]] = part[2]
        at = part.end()
    return found


def _read(folder: Path, path: str) -> str:
    top = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        # Not waiting for one that writes to it: the pod may have put a pipe there.
        found = open_beneath(top, path, os.O_RDONLY | os.O_NONBLOCK)
    finally:
        os.close(top)
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise ValueError("is no regular file")
        with open(found, "rb", closefd=False) as file:
            data = file.read(LARGEST + 1)
    finally:
        os.close(found)
    if len(data) > LARGEST:
        raise ValueError(f"is larger than {LARGEST} bytes")
    return data.decode()
