"""The Status objects that verbs answer with when they succeed."""

from __future__ import annotations

import orjson

from app.objects.change import Object


def success(*, name: str = "", group: str = "", resource: str = "", uid: str = "", code: int = 0) -> bytes:
    """A Status that says it went well, about the object named."""
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    given = {"name": name, "group": group, "kind": resource, "uid": uid}
    details = {key: value for key, value in given.items() if value}
    if details:
        status["details"] = details
    if code:
        status["code"] = code
    return orjson.dumps(status)
