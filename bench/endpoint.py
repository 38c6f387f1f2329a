"""`python -m bench.endpoint`: what containers are probed at. Answers `/...`, and lets `/hang/...` wait for ever.

Prints its port, and at SIGTERM when each path was connected to: JSON, seconds of the machine's monotonic clock. In a process of
its own, so that nobody but the kernel is between the one who probes and the time that is noted.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import signal
import socket
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


def main() -> None:
    seen: dict[str, list[float]] = {}
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: over.append(number))
    selector = selectors.DefaultSelector()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ)
        print(listener.getsockname()[1], flush=True)
        while not over:
            for key, _ in selector.select(0.2):
                if key.fileobj is listener:
                    _accept(listener, selector)
                else:
                    _serve(key, selector, seen)
    print(json.dumps(seen), flush=True)


def _accept(listener: socket.socket, selector: selectors.BaseSelector) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock, _ = listener.accept()
            at = time.monotonic()
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, at)


def _serve(
    key: selectors.SelectorKey, selector: selectors.BaseSelector, seen: dict[str, list[float]]
) -> None:
    sock: socket.socket = key.fileobj  # type: ignore[assignment]
    try:
        said = sock.recv(4096)
    except OSError:
        said = b""
    if said:
        path = said.split(b" ", 2)[1].decode()
        seen.setdefault(path, []).append(key.data)
        if path.startswith("/hang/"):
            return
        with contextlib.suppress(OSError):
            sock.send(ANSWER)
    selector.unregister(sock)
    sock.close()


if __name__ == "__main__":
    main()
