"""The files in which the engine keeps what a container prints (its log driver `json-file`).

Each line is an object: `{"log":"<text>","stream":"stdout","time":"<RFC 3339 time>"}`; a text without a newline at its end goes
on in the next one. https://docs.docker.com/engine/logging/drivers/json-file/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

_TIME = b'"time":"'


class JsonLog:
    """See `workers.runtime.log_files.Format`."""

    def moment(self, line: bytes) -> bytes:
        begin = line.rfind(_TIME) + len(_TIME)
        return line[begin : line.find(b'"', begin)].rstrip(b"Z")

    def moment_of(self, at: float) -> bytes:
        # The engine leaves out zeros at the end, and so must what is compared with it.
        whole, part = divmod(round(at * 1e6), 1_000_000)
        text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{part:06d}".rstrip("0").rstrip(".").encode()

    def ends(self, line: bytes) -> bool:
        return any(_text(entry).endswith("\n") for entry in _entries(line))

    def text(self, block: bytes, timestamps: bool, fresh: bool) -> tuple[bytes, bool]:
        entries = _entries(block)
        if not timestamps:
            return "".join([_text(entry) for entry in entries]).encode("utf-8", "replace"), True
        out = []
        for entry in entries:
            if fresh:
                out.append(_padded(str(entry.get("time", ""))) + " ")
            text = _text(entry)
            out.append(text)
            fresh = text.endswith("\n")
        return "".join(out).encode("utf-8", "replace"), fresh


def _entries(block: bytes) -> list[dict[str, Any]]:
    """A line that was cut off, by a disk that was full say, is passed over."""
    try:
        # One call for all of them is much faster, and there is no newline within a line.
        return list(orjson.loads(b"[" + block[:-1].replace(b"\n", b",") + b"]"))
    except orjson.JSONDecodeError:
        return [entry for line in block.split(b"\n") for entry in _entry(line)]


def _entry(line: bytes) -> list[dict[str, Any]]:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return []
    return [entry] if isinstance(entry, dict) else []


def _text(entry: dict[str, Any]) -> str:
    return str(entry.get("log", ""))


def _padded(time: str) -> str:
    """With nine digits of a second, as the engine shows it."""
    whole, _, part = time.removesuffix("Z").partition(".")
    return f"{whole}.{part:0<9}Z"
