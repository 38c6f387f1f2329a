"""Sending something long to the API as it comes: a request whose end is not known when it begins.

Not through the pool of connections: whoever follows a log may be silent for days, a reader who pauses makes the writer
wait for as long, and one who leaves is to be noticed though there is nothing to send.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from app.client.channel import Broken, keep_alive

# For being connected, and for the answer once all was sent. Seconds.
CONNECT, ANSWER = 10.0, 30.0


def upload(
    server: str,
    path: str,
    tls: ssl.SSLContext | None,
    headers: Mapping[str, str],
    chunks: Iterable[bytes],
) -> tuple[int, str, bytes]:
    """POST `chunks`; the answer's status, reason and body. An empty chunk is not sent, and is a good time to see that the
    API has hung up.

    Raises:
        Broken: the API can't be reached, or hung up.
    """
    parts = urlsplit(server)
    host, port = parts.hostname or "127.0.0.1", parts.port
    connection = (
        http.client.HTTPConnection(host, port, timeout=CONNECT)
        if tls is None
        else http.client.HTTPSConnection(host, port, timeout=CONNECT, context=tls)
    )
    try:
        connection.connect()
        sock: socket.socket = connection.sock
        keep_alive(sock)
        sock.settimeout(None)
        connection.putrequest("POST", path)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        for chunk in chunks:
            if chunk:
                sock.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            elif _hung_up(sock):
                raise Broken("nobody wants to hear more")
        sock.sendall(b"0\r\n\r\n")
        sock.settimeout(ANSWER)
        response = connection.getresponse()
        return response.status, response.reason, response.read()
    except (OSError, http.client.HTTPException) as exc:
        raise Broken(f"{server}{path}: {exc}") from exc
    finally:
        connection.close()


def _hung_up(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
