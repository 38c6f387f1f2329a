"""One entry of the audit log: an Event of audit.k8s.io/v1, at the stage ResponseComplete.

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.api.audit.redaction import is_sensitive, redacted
from app.api.routing import Target
from app.api.user import User
from app.base.clock import rfc3339_micro
from app.objects.change import Object

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
# Answers to what was malformed or invalid quote what was sent.
_QUOTING = (400, 422)


@dataclass(frozen=True, slots=True)
class Happened:
    """A request that was answered, as far as the log is about it.

    Attributes:
        user: None if nobody knows who asked. acting: who asked to be taken for `user`, if somebody did.
        target: None for a path that is no resource.
        received, answered: seconds since the epoch. reason: why it was allowed.
        sent: what came with the request, decoded. body: the answer. notes: what admission wants told.
    """

    trace: str
    verb: str
    uri: str
    address: str
    agent: str
    user: User | None
    acting: User | None
    target: Target | None
    received: float
    answered: float
    code: int
    reason: str
    sent: Any
    body: bytes
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it holds in memory."""
        return 1000 + 2 * len(self.body)


def event(happened: Happened, level: str) -> Object:
    """The entry for a request; `level` says how much of it is told."""
    target = happened.target
    answer = _decoded(happened) if happened.code >= 400 or level == LEVELS[3] or _unnamed(happened) else None
    made: Object = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "auditID": happened.trace,
        "stage": "ResponseComplete",
        "requestURI": happened.uri,
        "verb": happened.verb,
        "user": _user(happened.acting or happened.user),
        "sourceIPs": [happened.address] if happened.address else [],
        "userAgent": happened.agent,
        "responseStatus": _status(happened, answer),
        "requestReceivedTimestamp": rfc3339_micro(happened.received),
        "stageTimestamp": rfc3339_micro(happened.answered),
        "annotations": _annotations(happened),
    }
    if happened.acting is not None:
        made["impersonatedUser"] = _user(happened.user)
    if target is None:
        return made
    made["objectRef"] = _reference(happened, target, answer)
    about = (target.kind.group, target.kind.plural, target.subresource)
    if level in LEVELS[2:] and happened.sent is not None:
        made["requestObject"] = redacted(*about, happened.sent)
    if level == LEVELS[3] and answer is not None and not (happened.code in _QUOTING and is_sensitive(*about)):
        made["responseObject"] = redacted(*about, answer) if happened.code < 400 else answer
    return made


def _decoded(happened: Happened) -> Any:
    try:
        return orjson.loads(happened.body)
    except orjson.JSONDecodeError:
        return None


def _unnamed(happened: Happened) -> bool:
    """Whether only the answer says what the object is called."""
    return happened.code == 201 and happened.target is not None and not _sent_name(happened)


def _sent_name(happened: Happened) -> str:
    if happened.target is not None and happened.target.name:
        return happened.target.name
    return _name_in(happened.sent)


def _name_in(obj: Any) -> str:
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _user(user: User | None) -> Object:
    if user is None:
        return {}
    told: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    if user.extra:
        told["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {key: value for key, value in told.items() if value}


def _reference(happened: Happened, target: Target, answer: Any) -> Object:
    kind = target.kind
    told = {
        "resource": kind.plural,
        "namespace": target.namespace,
        "name": _sent_name(happened) or (_name_in(answer) if happened.code < 400 else ""),
        "apiGroup": kind.group,
        "apiVersion": kind.version,
        "subresource": target.subresource,
    }
    return {key: value for key, value in told.items() if value}


def _status(happened: Happened, answer: Any) -> Object:
    status: Object = {"metadata": {}, "code": happened.code}
    if happened.code < 400 or not isinstance(answer, dict):
        return status
    target = happened.target
    silent = (
        happened.code in _QUOTING
        and target is not None
        and is_sensitive(target.kind.group, target.kind.plural, target.subresource)
    )
    for part in ("status", "reason") if silent else ("status", "reason", "message"):
        if answer.get(part):
            status[part] = answer[part]
    return status


def _annotations(happened: Happened) -> Object:
    if happened.code == 401:
        return {}
    told = {"authorization.k8s.io/decision": "forbid" if happened.code == 403 else "allow"}
    if happened.reason:
        told["authorization.k8s.io/reason"] = happened.reason
    return {**told, **happened.notes}
