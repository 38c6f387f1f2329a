"""The audit log as settings ask for it."""

from __future__ import annotations

from app.api.audit.event import LEVELS
from app.api.audit.file import File
from app.api.audit.log import AuditLog
from app.api.audit.recorder import Recorder
from app.base.clock import Clock
from app.base.errors import UserError
from app.base.settings import PREFIX, Settings

MEBIBYTE = 1024 * 1024


def recorder_of(settings: Settings, clock: Clock) -> Recorder | None:
    """What takes requests down, running; None if nothing is to be.

    Raises:
        UserError: there is no such level, or the file can't be written.
    """
    level = settings.audit_level
    if level not in LEVELS:
        raise UserError(f"{PREFIX}AUDIT_LEVEL={level!r} is none of {', '.join(LEVELS)}; correct or unset it")
    if not settings.audit_file or level == LEVELS[0]:
        return None
    try:
        file = File(settings.audit_file, settings.audit_size * MEBIBYTE, settings.audit_count)
    except OSError as exc:
        raise UserError(
            f"the audit log {settings.audit_file} can't be written ({exc.strerror}); correct {PREFIX}AUDIT_FILE"
        ) from exc
    log = AuditLog(level, file, clock)
    log.start()
    return Recorder(log, clock)
