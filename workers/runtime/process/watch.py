"""Who just died: one epoll over the pidfds of all shims, so a death is known at once and idling is free."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable, Iterator

from workers.runtime.process.files import ContainerFolder
from workers.runtime.process.procfs import Process

log = logging.getLogger(__name__)


class Watch:
    """Watches shims, children of this process or not."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._lock = threading.Lock()
        self._watched: dict[int, ContainerFolder] = {}
        self._ids: set[str] = set()
        # Dead, and not told yet.
        self._dead: list[ContainerFolder] = []
        self.closed = False

    def add(self, folder: ContainerFolder, shim: Process) -> None:
        """Tell of this container's death, also if it is dead already. Once for each container."""
        with self._lock:
            if self.closed or folder.id in self._ids:
                return
            self._ids.add(folder.id)
            fd = shim.open()
            if fd is None:
                self._dead.append(folder)
                os.eventfd_write(self._wake, 1)
            else:
                self._watched[fd] = folder
                self._epoll.register(fd, select.EPOLLIN)

    def deaths(self, reap: Callable[[ContainerFolder], None]) -> Iterator[ContainerFolder]:
        """Each container that dies, after `reap` has seen to what it left. Ends with `close`; who leaves off before is
        told the others next time."""
        while not self.closed:
            self._hear([fd for fd, _ in self._epoll.poll(0 if self._dead else None)])
            while (folder := self._next()) is not None:
                try:
                    reap(folder)
                except Exception:
                    # Whoever stops or removes the container tries again.
                    log.exception("what container %s left could not be seen to", folder.id)
                yield folder

    def close(self) -> None:
        with self._lock:
            if self.closed:
                return
            self.closed = True
            for fd in self._watched:
                os.close(fd)
            self._watched.clear()
            os.eventfd_write(self._wake, 1)

    def _hear(self, ready: list[int]) -> None:
        with self._lock:
            for fd in ready:
                if fd == self._wake and not self.closed:
                    os.eventfd_read(self._wake)
                elif fd in self._watched:
                    self._dead.append(self._watched.pop(fd))
                    # Closing a pidfd takes it out of the epoll too.
                    os.close(fd)
            self._ids.difference_update(folder.id for folder in self._dead)

    def _next(self) -> ContainerFolder | None:
        """The next one to be told of; None if there is none."""
        with self._lock:
            return self._dead.pop(0) if self._dead and not self.closed else None
