"""Which requests are taken down: every write, and whatever was refused to whoever asked."""

from __future__ import annotations

from typing import Any

from app.api.answers import Answer
from app.api.audit.event import Happened
from app.api.audit.keys import ACTING, NOTES, REASON, SENT, TARGET, USER
from app.api.audit.log import AuditLog
from app.base.clock import Clock

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_REFUSED = (401, 403)


class Recorder:
    """Takes down requests in a log."""

    def __init__(self, log: AuditLog, clock: Clock) -> None:
        self.log = log
        self._clock = clock

    def record(self, environ: dict[str, Any], trace: str, verb: str, answer: Answer, seconds: float) -> None:
        """Take a request down if the log is about such. `seconds`: how long it took."""
        code = answer.code
        if verb not in _WRITES and code not in _REFUSED:
            return
        log, now, target = self.log, self._clock.now(), environ.get(TARGET)
        sent = environ.get(SENT)
        name_only = sent is not None and not log.keeps_bodies
        whole = log.keeps_answers or code >= 400 or (code == 201 and target is not None and not target.name)
        log.record(
            Happened(
                trace,
                verb,
                environ.get("RAW_URI") or environ["PATH_INFO"],
                environ.get("REMOTE_ADDR") or "",
                environ.get("HTTP_USER_AGENT") or "",
                environ.get(USER),
                environ.get(ACTING),
                target,
                now - seconds,
                now,
                code,
                environ.get(REASON) or "",
                _named(sent) if name_only else sent,
                answer.body if whole and isinstance(answer.body, bytes) else b"",
                environ.get(NOTES) or {},
            )
        )


def _named(sent: Any) -> Any:
    """Of an object that was sent, its name: all that is told of it."""
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return {"metadata": {"name": name}} if name else None
