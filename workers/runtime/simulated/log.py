"""What a simulated container has printed: all of it at its start."""

from __future__ import annotations

from app.base.clock import rfc3339
from workers.runtime.protocol import LogOptions


def chosen(text: str, started: float, options: LogOptions) -> bytes:
    """The lines of `text` that are asked for, printed at `started` (seconds since the epoch)."""
    lines = text.splitlines() if options.since is None or started >= options.since else []
    if options.tail is not None:
        lines = lines[-options.tail :] if options.tail else []
    stamp = f"{rfc3339(started)} " if options.timestamps else ""
    data = "".join(f"{stamp}{line}\n" for line in lines).encode()
    return data if options.limit_bytes is None else data[: options.limit_bytes]
