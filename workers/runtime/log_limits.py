"""How much of what a container prints is kept (kubelet: containerLogMaxSize, containerLogMaxFiles).

https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation
"""

from __future__ import annotations

from dataclasses import dataclass

from app.base.errors import UserError
from app.objects import quantity


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Of one container: `files` files (one at least) of `size` bytes each. The container before the one that runs is
    kept with its log; those before are not."""

    size: int = 10 * 1024 * 1024
    files: int = 2


KEPT = LogLimits()


def limits_of(size: str, files: int) -> LogLimits:
    """Limits as settings have them.

    Raises:
        UserError: they make no sense.
    """
    try:
        number = quantity.value(size)
    except ValueError:
        raise UserError(f"BEANPOLE_LOG_MAX_SIZE={size!r} is no quantity; it could be 10Mi") from None
    if number < 64 * 1024:
        raise UserError(f"BEANPOLE_LOG_MAX_SIZE={size!r} is less than 64Ki")
    if not 1 <= files <= 100:
        raise UserError(f"BEANPOLE_LOG_MAX_FILES={files} is not from 1 to 100")
    return LogLimits(number, files)
