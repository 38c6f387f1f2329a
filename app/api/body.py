"""Request bodies: bytes off the connection, and what they say.

The wording of a refusal is that of k8s.io/apiserver/pkg/endpoints/handlers (create.go, rest.go).
"""

from __future__ import annotations

from typing import Any

import orjson
import yaml
from gunicorn.http.errors import ParseException

from app.api import deadline
from app.base.errors import BadRequest, TooLarge, UnsupportedMediaType

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
# How long the body of a request may take to come. Seconds.
SLOW = 60.0
# Deeper than any real object, and shallow enough for code that follows an object recursively.
MAX_DEPTH = 200
_NESTS = frozenset((dict, list))


def read(environ: dict[str, Any], limit: int) -> bytes:
    """The whole body of a request.

    Raises:
        TooLarge: it has more than `limit` bytes. BadRequest: it is cut off, or not what its headers say.
        Timeout: it does not come.
    """
    given = environ.get("CONTENT_LENGTH")
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    if not given and not chunked:
        return b""
    try:
        length = int(given) if given else limit + 1
        if given and length > limit:
            raise _too_large(limit)
        with deadline.within(SLOW):
            data = bytes(environ["wsgi.input"].read(length)) if length > 0 else b""
    except (ValueError, OSError, ParseException) as exc:
        raise BadRequest(f"the body of the request can't be read: {exc}") from None
    if given and len(data) < length:
        raise BadRequest("the body of the request ended early")
    if len(data) > limit:
        raise _too_large(limit)
    return data


def media_type(environ: dict[str, Any]) -> str:
    """The media type of the body, without parameters; JSON if none is given."""
    return str(environ.get("CONTENT_TYPE") or JSON).partition(";")[0].strip().lower() or JSON


def parse(data: bytes, media: str, expected: str) -> dict[str, Any]:
    """The object in a body.

    Args:
        expected: the kind that belongs here, for the error.

    Raises:
        UnsupportedMediaType: in none of the forms taken. BadRequest: not an object, or not well-formed.
    """
    if media == PROTOBUF:
        # Imported with the first such body: a server that gets none pays nothing for it.
        from app.schemas.protobuf.decode import decode

        return decode(data, expected)
    if media == YAML:
        value = parse_yaml(data, expected)
    elif media in (JSON, "*/*"):
        value = _parse_json(data, expected)
    else:
        raise unsupported(media)
    if not isinstance(value, dict):
        raise _unrecognized(
            expected, "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{_json_type(value)} into Go value of type struct {{ APIVersion string; Kind string }}", data,
        )  # fmt: skip
    return value


def parse_patch(data: bytes) -> Any:
    """What a patch says: JSON of any type, for the registry to judge.

    Raises:
        BadRequest: it is not well-formed.
    """
    try:
        value = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as exc:
        why = "unexpected end of JSON input" if not data.strip() else str(exc)
        raise BadRequest(f"error decoding patch: {why}") from None
    check_depth(value)
    return value


def parse_apply(data: bytes) -> Any:
    """The configuration in an apply: YAML, of which JSON is the quicker part.

    Raises:
        BadRequest: it is neither.
    """
    try:
        value = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError):
        try:
            return parse_yaml(data, "object")
        except BadRequest as exc:
            why = exc.message.partition("yaml: ")[2] or exc.message
            raise BadRequest(f"error decoding YAML: {why}") from None
    check_depth(value)
    return value


def unsupported(media: str, accepted: tuple[str, ...] = (JSON, YAML, PROTOBUF)) -> UnsupportedMediaType:
    """The refusal of a media type; says what is taken instead."""
    return UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    )


def parse_yaml(data: bytes, expected: str) -> Any:
    """A YAML document as JSON would say it: keys are strings, times stay text, aliases are refused (a few
    lines of them can stand for gigabytes)."""
    try:
        text = data.decode()
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
            raise _unrecognized(expected, "YAML aliases are not accepted", data)
        value = _plain(yaml.load(text, Loader=_Loader))
        check_depth(value)
        return value
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as exc:
        why = "nested too deeply" if isinstance(exc, RecursionError) else " ".join(str(exc).split())[:200]
        raise _unrecognized(expected, f"yaml: {why}", data) from None


def check_depth(value: Any) -> None:
    """Refuse JSON that nests deeper than `MAX_DEPTH`, for much of what handles objects calls itself for each level.

    Args:
        value: as parsed.

    Raises:
        BadRequest: it does.
    """
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for held in level
            for inner in (held.values() if type(held) is dict else held)
            if type(inner) in _NESTS
        ]
        if not level:
            return
    raise BadRequest(f"the object is nested deeper than {MAX_DEPTH} levels")


def _parse_json(data: bytes, expected: str) -> Any:
    try:
        value = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as exc:
        why = "unexpected end of JSON input" if not data.strip() else str(exc)
        raise _unrecognized(expected, f"couldn't get version/kind; json parse error: {why}", data) from None
    check_depth(value)
    return value


def _unrecognized(expected: str, why: str, data: bytes) -> BadRequest:
    return BadRequest(
        f"the object provided is unrecognized (must be of type {expected}): {why} ({_summary(data)})"
    )


def _summary(data: bytes) -> str:
    """The beginning of a body, as it may be shown (summarizeData in rest.go)."""
    if not data:
        return "<empty>"
    shown = data[:30].decode("utf-8", "replace") if data[:1] == b"{" else data[:30].hex()
    return f"{shown} ..." if len(data) > 30 else shown


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"Request entity too large: limit is {limit}")


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "number" if value is not None else "null"


class _Loader(yaml.CSafeLoader):
    """The safe loader, leaving times alone: JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise ValueError("Integer exceeds 64-bit range")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"a value of type {type(value).__name__} has no form in JSON")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    raise ValueError("a key must be a string")
