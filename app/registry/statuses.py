"""The Status objects that say how a request ended (k8s.io/apimachinery metav1.Status)."""

from __future__ import annotations

import orjson

from app.base.errors import ApiError
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


def failure(error: ApiError) -> Object:
    """The Status that says what went wrong."""
    status: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
    }
    details = error.details()
    if details:
        status["details"] = details
    status["code"] = error.code
    return status
