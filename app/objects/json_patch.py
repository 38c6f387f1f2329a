"""JSON patch (RFC 6902)."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch

from app.base.errors import BadRequest, Cause, Invalid, TooLarge
from app.objects.change import Object

# kube-apiserver's own bound (staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go).
MAX_OPERATIONS = 10_000

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
NEEDS_VALUE = ("add", "replace", "test")
NEEDS_FROM = ("move", "copy")


_FAILURES = (
    jsonpatch.JsonPatchException,
    jsonpatch.JsonPointerException,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    IndexError,
)


def apply(target: Object, patch: Any) -> Object:
    """`target` after the operations of `patch`, all or none. `target` is not changed.

    Raises:
        BadRequest: the patch is malformed. TooLarge: it has too many operations.
        Invalid: an operation can't be done, or a `test` failed (as kube-apiserver: 422).
    """
    operations = _checked(patch)
    try:
        result = jsonpatch.JsonPatch(operations).apply(target)
    except _FAILURES as exc:
        raise _refused(_why(target, operations)) from exc
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


def _why(target: Object, operations: list[Object]) -> str:
    """Which operation can't be done, in the words of github.com/evanphx/json-patch. The library's own would show
    the object as Python prints it."""
    result: Any = copy.deepcopy(target)
    for operation in operations:
        op, path = operation["op"], operation["path"]
        try:
            result = jsonpatch.JsonPatch([operation]).apply(result, in_place=True)
        except jsonpatch.JsonPatchTestFailed:
            return f"testing value {path} failed: test failed"
        except _FAILURES:
            missing = operation["from"] if op in NEEDS_FROM else path
            return f'{op} operation does not apply: doc is missing path: "{missing}": missing value'
    return "the patch can't be applied"


def _refused(why: str) -> Invalid:
    cause = Cause("", "UnexpectedServerResponse", why)
    return Invalid("the server rejected our request due to an error in our request", causes=[cause])
