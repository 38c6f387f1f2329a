"""Kubernetes's channel protocols: messages whose first byte says which stream they belong to.

https://kubernetes.io/docs/concepts/architecture/websockets/ and
k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go. In the base64 variants the byte is a digit and the rest
is base64, in text messages. Since v4 the error stream ends with a Status; v5 can close a stream.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

V5, V4, V4_TEXT = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
V1, V1_TEXT = "channel.k8s.io", "base64.channel.k8s.io"
# The v5 message that closes a stream: this byte, and the stream's.
CLOSE = 255
# A message in base64 has to be whole before it can be read; this long at most.
TEXT_MAX = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Protocol:
    """One of them. `status`: how it ended is told as a Status; otherwise as a sentence, and only of failures."""

    text: bool = False
    status: bool = True
    closes: bool = False

    def encode(self, channel: int, data: bytes) -> bytes:
        """A message on `channel`."""
        if self.text:
            return b"%c" % (ord("0") + channel) + base64.b64encode(data)
        return bytes((channel,)) + data


# Those of exec and attach, and those of port-forward, as Kubernetes serves them. The name is empty for a client that
# names none.
REMOTE_COMMAND = {
    V5: Protocol(closes=True),
    V4: Protocol(),
    V4_TEXT: Protocol(text=True),
    V1: Protocol(status=False),
    V1_TEXT: Protocol(text=True, status=False),
    "": Protocol(status=False),
}
PORT_FORWARD = {V4: Protocol(), V4_TEXT: Protocol(text=True), "": Protocol()}


class Reader:
    """Puts messages together from their pieces. `feed` yields `(channel, data)`, and `(CLOSE, channel)` byte."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._channel = -1
        self._text = bytearray()

    def feed(self, piece: bytes, first: bool, last: bool) -> Iterator[tuple[int, bytes]]:
        """What a piece of a message brings.

        Raises:
            ValueError: it is no such message.
        """
        if self._protocol.text:
            self._text += piece
            if len(self._text) > TEXT_MAX:
                raise ValueError("a message is too long")
            if last:
                yield from self._read_text()
            return
        if first:
            self._channel = -1
        if self._channel < 0:
            if not piece:
                return
            self._channel, piece = piece[0], piece[1:]
        if piece:
            yield self._channel, piece

    def _read_text(self) -> Iterator[tuple[int, bytes]]:
        whole, self._text = bytes(self._text), bytearray()
        if not whole:
            return
        try:
            yield whole[0] - ord("0"), base64.b64decode(whole[1:], validate=True)
        except binascii.Error as exc:
            raise ValueError(f"not base64: {exc}") from None
