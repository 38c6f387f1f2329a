"""From a body in protobuf to the dict that the same body in JSON would give.

A body is `k8s` and a zero byte, then an envelope (`runtime.Unknown`) that says the kind and holds the object:
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

from __future__ import annotations

from typing import Any, NoReturn

from google.protobuf.message import DecodeError

from app.base.errors import BadRequest
from app.schemas.protobuf.messages import ENVELOPE, kind_of, message_class, messages
from app.schemas.protobuf.values import reader, text

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"


def decode(data: bytes, expected: str) -> dict[str, Any]:
    """The object in a body, with apiVersion and kind as the envelope says; not yet checked in any way.

    Fields with a number that the kind does not have are passed over: a newer client knows more.

    Args:
        expected: the kind that belongs here, for the error. Whether it is this kind is for the caller to see.

    Raises:
        BadRequest: it is no such body, or says something that JSON can't.
    """
    if not data.startswith(MAGIC):
        prefix = " ".join(str(byte) for byte in MAGIC)
        why = f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]"
        _unrecognized(expected, why if data else "empty data", data)
    try:
        envelope = _parsed(messages().classes[ENVELOPE], data[len(MAGIC) :])
        version, name = text(envelope.typeMeta.apiVersion), text(envelope.typeMeta.kind)
        encoding, media = text(envelope.contentEncoding), text(envelope.contentType)
    except ValueError as exc:
        _unrecognized(expected, str(exc), data)
    if not name or not version:
        _unrecognized(expected, f"Object '{'apiVersion' if name else 'Kind'}' is missing", data)
    if encoding or media not in ("", MEDIA_TYPE):
        _unrecognized(expected, f"content {encoding or media!r} inside protobuf is not supported", data)
    group, _, short_version = version.rpartition("/")
    kind = kind_of(group, short_version, name)
    refusal = f'{name} in version "{short_version}" cannot be handled as a {expected}'
    if kind is None:
        raise BadRequest(f'{refusal}: no kind "{name}" is registered for version "{version}"')
    try:
        found = reader(kind.schema)(_parsed(message_class(kind.schema), envelope.raw))
    except ValueError as exc:
        raise BadRequest(f"{refusal}: {exc}") from None
    return {"apiVersion": version, "kind": name, **found}


def _parsed(message: Any, data: bytes) -> Any:
    """Raises ValueError for bytes that are no message."""
    try:
        return message.FromString(data)
    except DecodeError:
        raise ValueError("proto: the message is malformed") from None


def _unrecognized(expected: str, why: str, data: bytes) -> NoReturn:
    shown = f"{data[:30].hex()}{' ...' if len(data) > 30 else ''}" if data else "<empty>"
    raise BadRequest(f"the object provided is unrecognized (must be of type {expected}): {why} ({shown})")
