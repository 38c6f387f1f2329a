"""Images as an agent needs them: looked up, fetched from registries, listed, and removed again.

A runtime either keeps images (`KeepsImages`), or knows them by name only (`NamesImages`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError


class ImageGone(ContainerError):
    """An image that was found is not there any more. It is worth looking for it again."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that the machine has.

    Attributes:
        id: of its content. tags: `name:tag`. digests: `name@sha256:...`, by which registries know it. size: bytes.
    """

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """What a registry is shown."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds images. Bytes."""

    capacity: int
    available: int


class Transfer:
    """A pull under way, told of by whoever pulls and watched by another thread.

    Attributes:
        done, total: bytes fetched, and to be fetched as far as that is known. busy: bytes flow, or should; not while
            the engine lets it wait for others.
    """

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.busy = True
        self.steps = 0
        self._lock = threading.Lock()
        self._close: Callable[[], None] | None = None
        self.cancelled = False

    def tell(self, done: int, total: int, busy: bool) -> None:
        """Something moved on."""
        self.done, self.total, self.busy = done, total, busy
        self.steps += 1

    def open(self, close: Callable[[], None]) -> None:
        """From now on `close` ends the transfer, from any thread."""
        with self._lock:
            late = self.cancelled
            self._close = None if late else close
        if late:
            close()

    def closed(self) -> None:
        """It is over: there is nothing to end any more."""
        with self._lock:
            self._close = None

    def cancel(self) -> None:
        """End it. Whoever pulls gets an error."""
        with self._lock:
            self.cancelled = True
            close, self._close = self._close, None
        if close is not None:
            close()


class ImageStore(Protocol):
    """Every call may raise ContainerError: the engine can't be reached, or refuses."""

    def find(self, image: Image) -> StoredImage | None:
        """The image of that name, if the machine has it. Costs nothing for one that was found before."""
        ...

    def pull(self, image: Image, login: Login | None, transfer: Transfer) -> StoredImage:
        """Fetch it. What is here already is not fetched again. Raises ContainerError: ErrImagePull,
        RegistryUnavailable."""
        ...

    def forget(self, image: Image) -> None:
        """What `find` found before may be gone."""
        ...

    def all(self) -> list[StoredImage]:
        """Every image of the machine, whoever put it there."""
        ...

    def in_use(self) -> set[str]:
        """The ids of images of which there are containers, running or not, whoever made them."""
        ...

    def pinned(self) -> set[str]:
        """Names of images that must stay."""
        ...

    def remove(self, name: str) -> None:
        """Take a name away, or by id the image; the content goes with its last name. Not there is no error."""
        ...

    def disk(self) -> Disk | None:
        """The file system that images lie on; None if it can't be seen from here."""
        ...


@runtime_checkable
class KeepsImages(Protocol):
    """A runtime with an image store."""

    @property
    def images(self) -> ImageStore: ...


@runtime_checkable
class NamesImages(Protocol):
    """A runtime to which an image is only a name."""

    def ensure_image(self, image: str, policy: str) -> str:
        """Have the image as `policy` (Always, IfNotPresent, Never) says. Returns how, for the Event:
        `already present on machine` or `pulled`. Never blocks. Raises ContainerError with ErrImagePull,
        ErrImageNeverPull or InvalidImageName."""
        ...
