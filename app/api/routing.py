"""Paths: which kind, namespace, object and subresource a request is about.

`/api/v1/...` is the core group, `/apis/<group>/<version>/...` every other. Empty segments don't count, so
that trailing and doubled slashes do no harm.
https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.schemas import kinds
from app.schemas.kinds import Kind

# From group, version and plural to the kind.
Find = Callable[[str, str, str], Kind | None]
# What may follow a namespace's name without being a kind inside of it.
_OF_A_NAMESPACE = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. `namespace` is empty for all namespaces, and for kinds that live in none;
    `name` is empty for the collection."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def segments(path: str) -> list[str]:
    """The parts of a path as WSGI hands it out (UTF-8 read as Latin-1).

    Raises:
        ValueError: the bytes are not UTF-8.
    """
    if not path.isascii():
        path = path.encode("latin-1").decode("utf-8")
    return [part for part in path.split("/") if part]


def parse(parts: list[str], find: Find = kinds.by_path) -> Target | None:
    """What the path names, or None if no such thing is served. `find` knows the kinds."""
    if len(parts) < 3:
        return None
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and not (len(rest) == 3 and rest[2] in _OF_A_NAMESPACE):
        namespace, rest = rest[1], rest[2:]
    # What follows `proxy` is the business of whoever is behind it.
    if not rest or (len(rest) > 3 and rest[2] != "proxy"):
        return None
    kind = find(group, version, rest[0])
    if kind is None or (namespace and not kind.namespaced):
        return None
    name = rest[1] if len(rest) > 1 else ""
    if name and kind.namespaced and not namespace:
        return None
    subresource = rest[2] if len(rest) > 2 else ""
    if subresource and subresource not in kind.subresources:
        return None
    return Target(kind, namespace, name, subresource)
