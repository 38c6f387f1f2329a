"""A session's line to the API: frames over a channel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

from app.base.errors import BeanpoleError
from app.base.frames import Decoder, Frame

# One wait for what comes. Seconds.
LOOK = 1.0


class HungUp(BeanpoleError):
    """Whoever was at the other end has gone."""


class Channel(Protocol):
    """`app.client.channel.Channel`, as sessions need it."""

    def receive(self, timeout: float) -> bytes | None: ...

    def send(self, data: bytes) -> None: ...

    def gone(self) -> bool: ...

    def close(self) -> None: ...


class Line:
    """One thread reads frames, any may send them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._sending = threading.Lock()

    def send(self, data: bytes) -> None:
        """Send frames, encoded. Raises HungUp."""
        try:
            with self._sending:
                self._channel.send(data)
        except BeanpoleError as exc:
            raise HungUp(str(exc)) from exc

    def frames(self, until: threading.Event, patience: float) -> Iterator[Frame]:
        """What comes, until the other side leaves. Once `until` is set, for `patience` more seconds at most.

        Raises:
            HungUp: what came were no frames.
        """
        decoder = Decoder()
        while (data := self._channel.receive(LOOK)) is not None:
            try:
                yield from decoder.feed(data)
            except ValueError as exc:
                raise HungUp(str(exc)) from exc
            if not data and until.is_set():
                patience -= LOOK
                if patience <= 0:
                    return

    def gone(self) -> bool:
        """Whether the other side has left."""
        return self._channel.gone()

    def close(self) -> None:
        self._channel.close()
