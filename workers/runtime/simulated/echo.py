"""A simulated command: it prints what it was told to, then whatever is typed, and ends with its input."""

from __future__ import annotations

import threading

from workers.runtime.interactive import STDOUT


class Echo:
    """See `workers.runtime.interactive.Interactive`."""

    def __init__(self, output: bytes, code: int | None, *, stdin: bool) -> None:
        self._pending, self._code = output, code
        self._changed = threading.Condition()
        self._ended = not stdin

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        with self._changed:
            if not self._pending and not self._ended:
                self._changed.wait(timeout)
            data, self._pending = self._pending, b""
            return None if not data and self._ended else (STDOUT, data)

    def write(self, data: bytes, timeout: float) -> int:
        with self._changed:
            if self._ended:
                raise BrokenPipeError("no more input is taken")
            self._pending += data
            self._changed.notify_all()
        return len(data)

    def end_input(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def resize(self, width: int, height: int) -> None:
        """It has no terminal."""

    def exit_code(self) -> int | None:
        return self._code

    def close(self) -> None:
        self.end_input()
