"""Who just died: one epoll over the pidfds of all shims, so a death is known at once and idling is free."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator

from workers.runtime.process.files import ContainerFolder
from workers.runtime.process.procfs import Process


class Watch:
    """Watches shims, children of this process or not."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._lock = threading.Lock()
        self._watched: dict[int, ContainerFolder] = {}
        self._ids: set[str] = set()
        self._missed: list[ContainerFolder] = []
        self.closed = False

    def add(self, folder: ContainerFolder, shim: Process) -> None:
        """Tell of this container's death, also if it is dead already. Once for each container."""
        with self._lock:
            if self.closed or folder.id in self._ids:
                return
            self._ids.add(folder.id)
            fd = shim.open()
            if fd is None:
                self._missed.append(folder)
                os.eventfd_write(self._wake, 1)
            else:
                self._watched[fd] = folder
                self._epoll.register(fd, select.EPOLLIN)

    def deaths(self, reap: Callable[[ContainerFolder], None]) -> Iterator[ContainerFolder]:
        """Each container that dies, after `reap` has seen to what it left. Ends with `close`."""
        while not self.closed:
            ready = self._epoll.poll()
            for folder in self._take([fd for fd, _ in ready]):
                reap(folder)
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

    def _take(self, ready: list[int]) -> list[ContainerFolder]:
        with self._lock:
            if self.closed:
                return []
            dead, self._missed = self._missed, []
            for fd in ready:
                if fd == self._wake:
                    os.eventfd_read(self._wake)
                elif fd in self._watched:
                    dead.append(self._watched.pop(fd))
                    # Closing a pidfd takes it out of the epoll too.
                    os.close(fd)
            self._ids.difference_update(folder.id for folder in dead)
            return dead
