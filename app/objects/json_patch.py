"""JSON patch (RFC 6902)."""

from __future__ import annotations

from typing import Any

import jsonpatch

from app.base.errors import BadRequest, Cause, Invalid, TooLarge
from app.objects.change import Object

# kube-apiserver's own bound (staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go).
MAX_OPERATIONS = 10_000

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
NEEDS_VALUE = ("add", "replace", "test")
NEEDS_FROM = ("move", "copy")


def apply(target: Object, patch: Any) -> Object:
    """`target` after the operations of `patch`, all or none. `target` is not changed.

    Raises:
        BadRequest: the patch is malformed. TooLarge: it has too many operations.
        Invalid: an operation can't be done, or a `test` failed (as kube-apiserver: 422).
    """
    operations = _checked(patch)
    try:
        result = jsonpatch.JsonPatch(operations).apply(target)
    except (
        jsonpatch.JsonPatchException,
        jsonpatch.JsonPointerException,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        IndexError,
    ) as exc:
        raise _refused(exc) from exc
    if not isinstance(result, dict):
        raise Invalid("the server rejected our request due to an error in our request")
    return result


def _checked(patch: Any) -> list[Object]:
    if not isinstance(patch, list):
        raise BadRequest("error decoding patch: a JSON patch must be an array of operations")
    if len(patch) > MAX_OPERATIONS:
        raise TooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}"
        )
    for number, operation in enumerate(patch):
        where = f"error decoding patch: operation {number}"
        if not isinstance(operation, dict):
            raise BadRequest(f"{where} is not an object")
        op = operation.get("op")
        if op not in OPERATIONS:
            raise BadRequest(f'{where}: "op" must be one of {", ".join(OPERATIONS)}')
        for field in ("path", "from") if op in NEEDS_FROM else ("path",):
            pointer = operation.get(field)
            if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
                raise BadRequest(f'{where}: "{field}" must be a JSON pointer')
        if op in NEEDS_VALUE and "value" not in operation:
            raise BadRequest(f'{where}: "value" is missing')
    return patch


def _refused(exc: Exception) -> Invalid:
    cause = Cause("patch", "UnexpectedServerResponse", str(exc) or type(exc).__name__)
    return Invalid("the server rejected our request due to an error in our request", causes=[cause])
