"""What was asked of a cluster, and by whom: its audit log, read for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from app.base.clock import parse_rfc3339
from app.base.errors import UserError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to show; an empty field leaves them all in.

    Attributes:
        user: who asked, or whom they asked to be taken for. resource: plural, such as `pods` or `deployments.apps`.
        since: seconds since the epoch. refused: only what was not allowed.
    """

    user: str = ""
    resource: str = ""
    namespace: str = ""
    verb: str = ""
    since: float = 0.0
    refused: bool = False

    def takes(self, entry: dict[str, Any]) -> bool:
        """Whether an entry is wanted."""
        about = entry.get("objectRef") or {}
        names = {(entry.get(field) or {}).get("username") for field in ("user", "impersonatedUser")}
        resource, group = about.get("resource", ""), about.get("apiGroup", "")
        return (
            (not self.user or self.user in names)
            and self.resource in ("", resource, f"{resource}.{group}")
            and self.namespace in ("", about.get("namespace"))
            and self.verb in ("", entry.get("verb"))
            and parse_rfc3339(entry["requestReceivedTimestamp"]) >= self.since
            and (not self.refused or entry["responseStatus"]["code"] in (401, 403))
        )


def entries(path: Path, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The wanted entries of the log at `path` and of the older ones beside it, oldest first.

    Raises:
        UserError: there is no log, or it can't be read.
    """
    files = _files(path)
    if not files:
        raise UserError(
            f"there is no audit log at {path}; name the cluster's folder with --state, or the log with --file"
        )
    for file in files:
        try:
            with file.open("rb") as lines:
                for line in lines:
                    entry = _entry(line)
                    if entry is not None and wanted.takes(entry):
                        yield entry
        except OSError as exc:
            raise UserError(f"{file} can't be read: {exc.strerror}") from exc


def line(entry: dict[str, Any]) -> str:
    """One entry for people: when, who, what, on what, and what came of it."""
    user = (entry.get("user") or {}).get("username") or "-"
    other = (entry.get("impersonatedUser") or {}).get("username")
    status = entry["responseStatus"]
    told = f"  {' '.join(status['message'].split())}" if status.get("message") else ""
    who = f"{user} as {other}" if other else user
    return (
        f"{entry['requestReceivedTimestamp']}  {entry['auditID']}  {status['code']}  {who:<24}  "
        f"{entry['verb']:<16}  {_object(entry)}{told}"
    )


def seconds(text: str) -> float:
    """How long `90s`, `10m`, `2h` or `1d` is, in seconds.

    Raises:
        UserError: it is no such text.
    """
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise UserError(f"{text!r} is no span of time; write one like 90s, 10m, 2h or 1d")
    return float(int(match[1]) * _UNITS[match[2]])


def _files(path: Path) -> list[Path]:
    """The log and older ones, oldest first."""
    older = [each for each in path.parent.glob(f"{path.name}.*") if each.suffix[1:].isdigit()]
    found = sorted(older, key=lambda each: int(each.suffix[1:]), reverse=True)
    return [*found, path] if path.exists() else found


def _entry(line: bytes) -> dict[str, Any] | None:
    """One line; None for one that was not written to its end."""
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) and "responseStatus" in entry else None


def _object(entry: dict[str, Any]) -> str:
    about = entry.get("objectRef")
    if not about:
        return str(entry.get("requestURI", ""))
    resource = about["resource"] + (f".{about['apiGroup']}" if about.get("apiGroup") else "")
    if about.get("subresource"):
        resource += f"/{about['subresource']}"
    where = [each for each in (about.get("namespace"), about.get("name")) if each]
    return " ".join((resource, "/".join(where))).strip()
