"""Logging: one line an event, to stderr, with the logger's name as the part that speaks."""

from __future__ import annotations

import logging
import sys


def configure(level: str = "INFO") -> None:
    """Send log records of `level` and above to stderr. Calling it again changes the level."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    if not any(getattr(h, "beanpole", False) for h in root.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.beanpole = True  # type: ignore[attr-defined]
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        )
        root.handlers[:] = [handler]
    for noisy in ("urllib3", "docker", "kombu", "celery.worker.strategy", "amqp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
