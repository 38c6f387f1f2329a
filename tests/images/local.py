"""Images for tests, made on this machine: no test needs a registry.

`busybox` images hold Debian's static busybox (package busybox-static) with a link for each of its commands;
`python` images hold the interpreter that runs the tests, with its library and the shared objects it needs.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import docker
import docker.errors

BUSYBOX = "beanpole-test/busybox:1"
# On every image made here under a public image's name: the test run that made it.
MADE_BY = "dev.beanpole.test.run"
# The process that starts the others imports this first; they inherit its environment.
RUN = os.environ.setdefault("BEANPOLE_TEST_RUN", str(os.getpid()))
# Where packages put a busybox that needs no libraries.
_PLACES = ("/bin/busybox", "/usr/bin/busybox", "/usr/lib/busybox/busybox-static")
# Of the interpreter's library, what no test's program imports.
_LEFT_OUT = (
    "site-packages",
    "test",
    "idlelib",
    "tkinter",
    "ensurepip",
    "lib2to3",
    "__pycache__",
    "turtledemo",
)


def ensure_busybox(client: docker.APIClient, name: str = BUSYBOX) -> str:
    """Have an image called `name` with a shell and the usual commands. Raises FileNotFoundError."""
    if not has(client, name):
        _load(client, name, _busybox_root(), ['CMD ["/bin/sh"]'])
    return name


def ensure_python(client: docker.APIClient, name: str) -> str:
    """Have an image called `name` with `python3` and a shell."""
    if not has(client, name):
        _load(client, name, _python_root(), ['CMD ["python3"]', "ENV PYTHONUNBUFFERED=1"])
    return name


def has(client: docker.APIClient, name: str) -> bool:
    try:
        client.inspect_image(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _load(client: docker.APIClient, name: str, root: bytes, changes: list[str]) -> None:
    repository, _, tag = name.rpartition(":")
    path = "ENV PATH=/usr/local/bin:/usr/bin:/bin"
    labels = [] if name == BUSYBOX else [f"LABEL {MADE_BY}={RUN}"]
    said = client.import_image_from_data(root, repository, tag, changes=[path, *labels, *changes])
    assert '"error"' not in said, said


def _busybox_root() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add_busybox(tar)
    return packed.getvalue()


def _add_busybox(tar: tarfile.TarFile) -> None:
    busybox = next((p for p in _PLACES if Path(p).exists()), None) or shutil.which("busybox")
    if busybox is None:
        raise FileNotFoundError("no busybox on this machine: apt-get install busybox-static")
    for folder in ("bin", "etc", "tmp", "var", "root", "mnt", "usr", "usr/bin", "usr/local", "usr/local/bin"):
        _folder(tar, folder, 0o1777 if folder == "tmp" else 0o755)
    _text(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    _text(tar, "etc/group", "root:x:0:\nnogroup:x:65534:\n")
    tar.add(busybox, "bin/busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    for command in listed.split():
        if command != "busybox":
            _link(tar, f"bin/{command}", "busybox")


def _python_root() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add_busybox(tar)
        executable = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
        library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
        here = f"python{sys.version_info.major}.{sys.version_info.minor}"
        objects = [executable, *library.glob("lib-dynload/*.so")]
        tar.add(executable, f"usr/local/bin/{here}")
        _link(tar, "usr/local/bin/python3", here)
        _link(tar, "usr/local/bin/python", here)
        tar.add(library, f"usr/local/lib/{here}", filter=_wanted)
        for needed in sorted(_needed(objects)):
            # The interpreter's own library is found beside it; the others where the loader looks.
            tar.add(Path(needed).resolve(), needed.lstrip("/"))
    return packed.getvalue()


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if set(Path(entry.name).parts) & set(_LEFT_OUT) or entry.name.endswith(".a") else entry


def _needed(objects: list[Path]) -> set[str]:
    """The shared objects that programs and libraries ask for, with the dynamic loader."""
    found: set[str] = set()
    for item in objects:
        said = subprocess.run(["ldd", str(item)], capture_output=True, text=True, check=False).stdout
        found.update(re.findall(r"(/\S+) \(0x", said))
    return found


def _folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text), 0o644
    tar.addfile(entry, io.BytesIO(text.encode()))
