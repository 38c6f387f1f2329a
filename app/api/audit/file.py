"""The file of the audit log: only its owner may read it, and when it is full another is begun."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import cast


class File(RotatingFileHandler):
    """`path`, and up to `count` older ones as `path.1`, `path.2` ..., each of about `size` bytes."""

    def __init__(self, path: str, size: int, count: int) -> None:
        """Raises OSError if it can't be opened."""
        super().__init__(path, maxBytes=size, backupCount=count, encoding="utf-8")

    def append(self, lines: str) -> None:
        """Write whole lines. Raises OSError."""
        record = logging.makeLogRecord({"msg": lines})
        self.emit(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Write, and let errors through: whoever writes counts what is lost."""
        if self.shouldRollover(record):
            self.doRollover()
        if self.stream is None:
            self.stream = self._open()
        self.stream.write(record.getMessage() + self.terminator)
        self.flush()

    def _open(self) -> TextIOWrapper:
        return cast(
            TextIOWrapper, open(self.baseFilename, self.mode, encoding=self.encoding, opener=_private)
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
