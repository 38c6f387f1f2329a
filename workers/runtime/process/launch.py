"""Starting shims, and commands inside containers: what they are told, and by which Python."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.runtime.log_limits import KEPT, LogLimits
from workers.runtime.mounts import Mount, Propagation
from workers.runtime.protocol import ContainerError, ContainerSpec

HERE = Path(__file__).parent
# Isolated, without site packages and environment: a start takes some 10 ms and stays under 9 MB.
PYTHON = (sys.executable, "-I", "-S", "-E")
# How long starting a container's process may take, in seconds.
START_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Bind:
    """What is mounted in a container's view.

    Attributes:
        part: only this part of `source`, out of which no link leads. options: `ro`, or `rro` for what is mounted below
            as well; `slave`: what is mounted below later on the machine is seen.
    """

    source: str
    target: str
    part: str = ""
    options: tuple[str, ...] = ()


def bind(mount: Mount) -> Bind:
    """A mount of a container's spec as what is done for it."""
    options = [] if not mount.read_only else ["rro" if mount.recursive else "ro"]
    if mount.propagation is Propagation.HOST_TO_CONTAINER:
        options.append("slave")
    return Bind(mount.source, mount.target, mount.sub_path, tuple(options))


@dataclass(frozen=True, slots=True)
class Launch:
    """A command and its surroundings.

    Attributes:
        mode: how a private view of the file system is had (see `view`); empty: there is none.
        join: 0 for a container's own process; for a command inside one, the pid of the process whose
            view to enter, or -1 if that has no view of its own.
        wishes: how a container's own process wants to be talked to: `i` has an input, `o` one that ends with the first
            user, `t` a terminal; empty: not at all.
        uid, gid: -1 keeps the agent's own. rights: see `rights.told`.
        entrances: files of the control groups that it is to be in. oom_score_adj: how readily the kernel ends it when
            memory runs out; None: as readily as the agent.
        log: how much of what it prints is kept.
    """

    mode: str
    directory: str
    command: Sequence[str]
    env: Mapping[str, str]
    join: int = 0
    uid: int = -1
    gid: int = -1
    staging: str = ""
    mounts: Sequence[Bind] = ()
    wishes: str = ""
    rights: Sequence[str] = ()
    entrances: Sequence[str] = ()
    oom_score_adj: int | None = None
    log: LogLimits = KEPT


def payload(launch: Launch) -> list[str]:
    """The fields that `entry.Payload` reads, in its order."""
    env = [f"{key}={value}" for key, value in launch.env.items()]
    mounts = [x for b in launch.mounts for x in (b.source, b.part, b.target, ",".join(b.options))]
    return [
        launch.mode,
        str(launch.join),
        launch.directory,
        str(launch.uid),
        str(launch.gid),
        launch.staging,
        "" if launch.oom_score_adj is None else str(launch.oom_score_adj),
        *_counted(launch.entrances),
        *_counted(launch.command),
        *_counted(env),
        *_counted(mounts),
        *_counted(launch.rights),
    ]


def start(folder: Path, boot: str, launch: Launch) -> None:
    """Start a shim on the container's folder and wait until its process runs.

    Raises:
        ContainerError: RunContainerError, with the reason why it does not.
    """
    kept = f"{launch.log.size},{launch.log.files}"
    fields = [str(folder), boot, launch.wishes, kept, *payload(launch)]
    shim = subprocess.Popen(
        [*PYTHON, str(HERE / "shim.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={},
        cwd="/",
        start_new_session=True,
    )
    try:
        said, _ = shim.communicate("\0".join(fields).encode(errors="surrogateescape"), START_TIMEOUT)
    except subprocess.TimeoutExpired as exc:
        # The shim itself, whose parent is what was started here, and which takes along what it has begun.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shim.pid, signal.SIGKILL)
        shim.wait()
        raise ContainerError("RunContainerError", f"no start within {START_TIMEOUT:g} s") from exc
    text = said.decode(errors="replace").strip()
    if text != "ok":
        raise ContainerError("RunContainerError", text.removeprefix("error ") or "the shim died at its start")


def inside(launch: Launch) -> subprocess.Popen[bytes]:
    """Run a command in the view of a container; its output, both streams, is the pipe `stdout`. Raises OSError."""
    return _entered(launch, subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT)


def talking(launch: Launch, streams: tuple[int, int, int], tty: bool) -> subprocess.Popen[bytes]:
    """Run a command in the view of a container with these as its standard streams; with `tty` they are a terminal,
    which becomes the one that controls it. Raises OSError."""
    return _entered(launch, *streams, "tty" if tty else "")


def _entered(launch: Launch, given: int, out: int, err: int, kind: str = "") -> subprocess.Popen[bytes]:
    told = os.memfd_create("beanpole-command")
    try:
        with open(told, "wb", closefd=False) as file:
            file.write("\0".join(payload(launch)).encode(errors="surrogateescape"))
        os.lseek(told, 0, os.SEEK_SET)
        return subprocess.Popen(
            [*PYTHON, str(HERE / "inside.py"), str(told), kind],
            stdin=given,
            stdout=out,
            stderr=err,
            pass_fds=(told,),
            env={},
            cwd="/",
        )
    finally:
        os.close(told)


def detect_mode() -> str:
    """How containers can have a private view of the file system here: `root`, `user`, or empty."""
    probe = subprocess.run(
        [*PYTHON, str(HERE / "view.py")],
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
        check=False,
        env={},
    )
    return probe.stdout.strip()


def base_env() -> dict[str, str]:
    """What a container's environment has before its own variables: the machine is its image."""
    return {
        "PATH": os.environ.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }


def wishes(spec: ContainerSpec) -> str:
    """See `Launch.wishes`."""
    return ("i" if spec.stdin else "") + ("o" if spec.stdin_once else "") + ("t" if spec.tty else "")


def _counted(items: Iterable[str]) -> list[str]:
    listed = list(items)
    return [str(len(listed)), *listed]
