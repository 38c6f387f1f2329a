"""Port-forward in SPDY, as kubectl speaks it: for each connection a stream for errors and one for data.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/ and
k8s.io/kubelet/pkg/cri/streaming/portforward/httpstream.go. Pure but for what it is given to send with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.api.sessions.spdy import frames as spdy
from app.base.frames import Frame, Part

# So many connections may lack one of their streams; the agent serves no more at a time.
HALF_OPEN = 256

# Sends a frame to the agent: part, data, connection.
ToAgent = Callable[[int, bytes, int], None]
ToClient = Callable[[bytes], None]


@dataclass(slots=True)
class _Pair:
    """The streams of one connection; 0 for one that is not there yet."""

    port: str
    errors: int = 0
    data: int = 0
    ended: bool = False


class Tunnel:
    """What a client's streams mean to the agent, and the agent's frames to the client. A connection has the number of
    its data stream."""

    def __init__(self, to_agent: ToAgent, to_client: ToClient) -> None:
        self._to_agent, self._to_client = to_agent, to_client
        self._decoder, self._encoder = spdy.Decoder(), spdy.Encoder()
        self._asked: dict[str, _Pair] = {}
        self._open: dict[int, _Pair] = {}

    def take(self, data: bytes) -> None:
        """Bytes of the client. Raises spdy.Malformed."""
        for event in self._decoder.feed(data):
            if isinstance(event, spdy.Opened):
                self._stream(event)
            elif isinstance(event, spdy.Data):
                self._data(event)
            elif isinstance(event, spdy.Reset):
                self._forget(event.stream)
            elif isinstance(event, spdy.Pinged):
                self._to_client(spdy.ping(event.number))

    def tell(self, frame: Frame) -> None:
        """A frame of the agent."""
        pair = self._open.get(frame.connection)
        if pair is None:
            return
        if frame.part == Part.DATA:
            self._to_client(spdy.data(pair.data, frame.data))
        elif frame.part == Part.END:
            self._end(pair)
        elif frame.part == Part.CLOSED:
            self._open.pop(frame.connection, None)
            self._to_client(spdy.data(pair.errors, frame.data, fin=True))
            self._end(pair)

    def _end(self, pair: _Pair) -> None:
        if not pair.ended:
            pair.ended = True
            self._to_client(spdy.data(pair.data, b"", fin=True))

    def _stream(self, opened: spdy.Opened) -> None:
        kind, port = opened.headers.get("streamtype"), opened.headers.get("port", "")
        number = opened.stream
        if kind not in ("error", "data") or not valid(port):
            self._to_client(spdy.reset(number, spdy.PROTOCOL_ERROR))
            return
        # Clients before 1.8 number no requests: there the data stream follows upon the error stream.
        request = opened.headers.get("requestid") or str(number if kind == "error" else number - 2)
        pair = self._asked.setdefault(request, _Pair(port))
        if len(self._asked) > HALF_OPEN:
            raise spdy.Malformed(f"more than {HALF_OPEN} connections without both of their streams")
        if kind == "error":
            pair.errors = number
        else:
            pair.data = number
        self._to_client(self._encoder.reply(number))
        if pair.errors and pair.data:
            del self._asked[request]
            self._open[pair.data] = pair
            self._to_agent(Part.OPEN, pair.port.encode(), pair.data)

    def _data(self, event: spdy.Data) -> None:
        if event.stream not in self._open:
            return
        if event.data:
            self._to_agent(Part.DATA, event.data, event.stream)
        if event.fin:
            self._to_agent(Part.END, b"", event.stream)

    def _forget(self, stream: int) -> None:
        pair = self._open.pop(stream, None)
        if pair is not None:
            self._to_agent(Part.CLOSED, b"", stream)
            self._to_client(spdy.data(pair.errors, b"", fin=True))


def valid(port: str) -> bool:
    """Whether it is a port's number."""
    return port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536
