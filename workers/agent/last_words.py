"""What a container leaves to be read of it after its end: its termination message.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/. Each attempt of a container
has a file of the machine mounted at its terminationMessagePath. What it wrote there is its message, the last 4 KiB of
it; all of a pod share 12 KiB. Where it wrote nothing, failed, and asked for FallbackToLogsOnError, the end of its log is:
80 lines or 2 KiB of them.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from app.objects.change import Object
from workers.agent.configuring.sources import ConfigError
from workers.agent.memory import PodMemory
from workers.agent.pod import containers, ephemeral_containers, find, init_containers, ref
from workers.agent.surroundings import Surroundings
from workers.runtime.mounts import Mount
from workers.runtime.protocol import (
    AnswersProbes,
    ContainerError,
    ContainerState,
    LogOptions,
    PodState,
    State,
)

log = logging.getLogger("beanpole.agent")

USUAL_PATH = "/dev/termination-log"
# Bytes.
LONGEST = 4096
LONGEST_OF_POD = 12 * 1024
LONGEST_OF_LOG = 2048
LINES_OF_LOG = 80


class LastWords:
    """See the module. A runtime whose containers are no processes has none."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._real = not isinstance(around.runtime, AnswersProbes)

    def mount(self, pod: Object, container: Object, attempt: int) -> tuple[Mount, ...]:
        """The file for a container's attempt, made empty, as it sees it. Raises ConfigError: it can't be made."""
        target = container.get("terminationMessagePath") or USUAL_PATH
        if not self._real or any(m.get("mountPath") == target for m in container.get("volumeMounts") or ()):
            return ()
        path = self._path(pod["metadata"]["uid"], container["name"], attempt)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The container may run as anybody.
            path.touch()
            path.chmod(0o666)
            self._path(pod["metadata"]["uid"], container["name"], attempt - 2).unlink(missing_ok=True)
        except OSError as exc:
            raise ConfigError(f"the file for the termination message could not be made: {exc}") from exc
        return (Mount(str(path), target, optional=True),)

    def gather(self, pod: Object, state: PodState | None, memory: PodMemory) -> None:
        """Read the message of each container that has ended and was not read of yet."""
        if not self._real or state is None:
            return
        for container in state.containers:
            if container.state is State.EXITED and container.id not in memory.last_words:
                memory.last_words[container.id] = self._read(pod, container)

    def _read(self, pod: Object, container: ContainerState) -> str:
        spec = find(pod, container.name)
        if spec is None:
            return ""
        count = sum(len(section(pod)) for section in (containers, init_containers, ephemeral_containers))
        said = _tail(self._path(pod["metadata"]["uid"], container.name, container.attempt), LONGEST)
        fallback = spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if not said and fallback and container.exit_code != 0:
            said = self._end_of_log(pod, container)
        return said[: min(LONGEST, LONGEST_OF_POD // max(count, 1))].decode("utf-8", "replace")

    def _end_of_log(self, pod: Object, container: ContainerState) -> bytes:
        options = LogOptions(attempt=container.attempt, tail=LINES_OF_LOG)
        try:
            chunks = self._around.runtime.logs(ref(pod), container.name, options)
            return b"".join(chunks)[-LONGEST_OF_LOG:]
        except (ContainerError, KeyError, OSError) as exc:
            log.debug("%s: the log of %s could not be read: %s", pod["metadata"]["name"], container.name, exc)
            return b""

    def _path(self, uid: str, name: str, attempt: int) -> Path:
        return self._around.folder(uid).absolute() / "messages" / f"{name}.{attempt}"


def _tail(path: Path, most: int) -> bytes:
    """The end of a file; empty if there is none. What a container put in its place is not followed or waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        is_file, size = stat.S_ISREG(os.fstat(fd).st_mode), os.fstat(fd).st_size
        return os.pread(fd, most, max(0, size - most)) if is_file else b""
    except OSError as exc:
        log.debug("%s could not be read: %s", path, exc)
        return b""
    finally:
        os.close(fd)
