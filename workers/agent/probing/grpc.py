"""grpc: the server's health service says SERVING.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md over HTTP/2, with TLS if `mode` says so and then with
whatever certificate; one message of one field each way. The sentences are those of kubernetes/pkg/probe/grpc.
"""

from __future__ import annotations

import socket
import struct
from urllib.parse import unquote

from app.base.version import MAJOR, MINOR
from workers.agent.probing.attempt import Outcome, join
from workers.agent.probing.talk import Talk, begin_tls, connect, new_socket, receive, send
from workers.agent.probing.tcp import dial_error

METHOD = "/grpc.health.v1.Health/Check"
# google.rpc.Code, as Go names them.
CODES = (
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
    "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal",
    "Unavailable", "DataLoss", "Unauthenticated",
)  # fmt: skip
SERVING = 1
STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


class _Broken(Exception):
    """The other side does not speak as it should; or not any more."""


def try_grpc(address: str, port: int, service: str, timeout: float, tls: bool = False) -> Talk[Outcome]:
    """Args: service: the name that is asked about, empty for the whole server."""
    at = join(address, port)
    sock = new_socket(address)
    call: _Call | None = None
    try:
        try:
            yield from connect(sock, address, port)
            if tls:
                sock = yield from begin_tls(sock, address, "h2")
            call = _Call(sock, "https" if tls else "http")
            yield from call.settle()
        except TimeoutError:
            why = "context deadline exceeded"
            text = f'timeout: failed to connect service "{at}" within {go_duration(timeout)}: {why}'
            return Outcome(False, text)
        except (OSError, _Broken) as exc:
            why = dial_error(exc, address, port) if isinstance(exc, OSError) else str(exc)
            return Outcome(False, f'error: failed to connect service at "{at}": {why}')
        try:
            code, message, answer = yield from call.ask(at, service, timeout)
        except TimeoutError:
            return Outcome(False, f"timeout: health rpc did not complete within {go_duration(timeout)}")
        except (OSError, _Broken) as exc:
            code, message, answer = CODES.index("Unavailable"), str(exc), b""
        return _judged(code, message, answer, timeout)
    finally:
        sock.close()


def _judged(code: int, message: str, answer: bytes, timeout: float) -> Outcome:
    if code:
        name = CODES[code] if code < len(CODES) else f"Code({code})"
        if name == "Unimplemented":
            lacks = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
            return Outcome(False, f"error: {lacks}: {message}")
        if name == "DeadlineExceeded":
            return Outcome(False, f"timeout: health rpc did not complete within {go_duration(timeout)}")
        return Outcome(False, f"error: health rpc probe failed: rpc error: code = {name} desc = {message}")
    status = _status(answer)
    if status == SERVING:
        return Outcome(True)
    said = STATUSES[status] if status < len(STATUSES) else str(status)
    return Outcome(False, f'service unhealthy (responded with "{said}")')


def go_duration(seconds: float) -> str:
    """As Go prints a duration of whole seconds: `5s`, `1m30s`, `1h0m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"


class _Call:
    """One call over one connection."""

    def __init__(self, sock: socket.socket, scheme: str) -> None:
        # Imported with the first grpc probe: an agent without any need not carry it in memory.
        from h2 import events
        from h2.config import H2Configuration
        from h2.connection import H2Connection
        from h2.exceptions import ProtocolError

        self._sock, self._scheme, self._events, self._wrong = sock, scheme, events, ProtocolError
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._settled = self._over = False
        self._trailers: dict[str, str] = {}
        self._body = b""

    def settle(self) -> Talk[None]:
        """Wait until the server has said that it speaks HTTP/2. Raises OSError, _Broken."""
        self._h2.initiate_connection()
        while not self._settled:
            yield from self._turn()

    def ask(self, at: str, service: str, timeout: float) -> Talk[tuple[int, str, bytes]]:
        """Code, message and the answer's bytes. Raises OSError, _Broken."""
        headers = [
            (":method", "POST"),
            (":scheme", self._scheme),
            (":path", METHOD),
            (":authority", at),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", f"kube-probe/{MAJOR}.{MINOR}"),
            ("grpc-timeout", f"{int(timeout * 1000)}m"),
        ]
        self._h2.send_headers(1, headers)
        self._h2.send_data(1, _framed(service), end_stream=True)
        while not self._over:
            yield from self._turn()
        if "grpc-status" not in self._trailers:
            status = self._trailers.get(":status", "")
            code = "Unimplemented" if status == "404" else "Unknown"
            return CODES.index(code), f"unexpected HTTP status code received from server: {status}", b""
        code_text = self._trailers["grpc-status"]
        code_number = int(code_text) if code_text.isdigit() else CODES.index("Unknown")
        return code_number, unquote(self._trailers.get("grpc-message", "")), self._body[5:]

    def _turn(self) -> Talk[None]:
        """Send what is due, take in what comes."""
        yield from send(self._sock, self._h2.data_to_send())
        data = yield from receive(self._sock)
        if not data:
            raise _Broken("error reading server preface: EOF" if not self._settled else "EOF")
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
        except self._wrong as exc:
            raise _Broken(f"error reading server preface: {exc}") from exc
        yield from send(self._sock, self._h2.data_to_send())

    def _take(self, event: object) -> None:
        e = self._events
        if isinstance(event, e.RemoteSettingsChanged):
            self._settled = True
        elif isinstance(event, e.ResponseReceived | e.TrailersReceived):
            self._trailers.update({str(name): str(value) for name, value in event.headers or ()})
        elif isinstance(event, e.DataReceived):
            self._body += event.data or b""
        elif isinstance(event, e.StreamEnded):
            self._over = True
        elif isinstance(event, e.StreamReset | e.ConnectionTerminated):
            raise _Broken(f"the server ended the call (code {event.error_code})")


def _framed(service: str) -> bytes:
    """A HealthCheckRequest (field 1: the service) as gRPC frames a message."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return struct.pack(">?I", False, len(message)) + message


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


def _status(answer: bytes) -> int:
    """Field 1 of a HealthCheckResponse, an enumeration; what is not there is 0."""
    return answer[1] if len(answer) >= 2 and answer[0] == 0x08 else 0
