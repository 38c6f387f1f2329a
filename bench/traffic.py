"""A client of a Service: every request on a new connection, and every failure counted."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

REQUEST = b"GET / HTTP/1.0\r\nHost: web\r\n\r\n"
THREADS = 4
TIMEOUT = 5.0


@dataclass
class Traffic:
    """Requests at about `rate` a second until `finish`, from when it is entered. Never more than `most`.

    Attributes:
        sent, failures: counted so far; a failure is anything but a whole 200 answer within 5 seconds.
    """

    address: str
    port: int
    rate: float = 400.0
    most: int = 20_000
    sent: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._enough = 0
        self._stop = False
        self._began = 0.0
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(THREADS)]

    def __enter__(self) -> Traffic:
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop = True
        for thread in self._threads:
            thread.join(2 * TIMEOUT)

    def finish(self, at_least: int) -> None:
        """Go on until `at_least` requests were sent, then stop."""
        self._enough = at_least
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop:
            with self._lock:
                if self.sent >= self.most or (self._enough and self.sent >= self._enough):
                    return
                number = self.sent
                self.sent += 1
            wait = self._began + number / self.rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            problem = self._ask()
            if problem:
                with self._lock:
                    self.failures[problem] += 1

    def _ask(self) -> str:
        said = b""
        try:
            with socket.create_connection((self.address, self.port), timeout=TIMEOUT) as sock:
                sock.sendall(REQUEST)
                while data := sock.recv(4096):
                    said += data
        except OSError as exc:
            return type(exc).__name__
        return "" if b" 200 " in said[:20] and said.endswith(b"ok\n") else "cut answer"
