"""Authentication: who sends a request.

Bearer tokens from a file with lines `token,user,uid,"group,group"`, as kube-apiserver's --token-auth-file
(https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file). The file is
read again when it changes. Tokens are kept and compared as hashes only.
"""

from __future__ import annotations

import csv
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from app.base.clock import Clock
from app.base.errors import Unauthorized

log = logging.getLogger("beanpole.authn")

AUTHENTICATED = "system:authenticated"
# How often the file is looked at, in seconds.
LOOK = 1.0


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, as authorization and the change log see it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()


class Tokens:
    """The users that a token file names."""

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self._users: dict[bytes, User] = {}
        self._state: tuple[int, int] | None = None
        self._looked = float("-inf")

    def user(self, authorization: str) -> User:
        """Who an `Authorization` header belongs to.

        Raises:
            Unauthorized: nobody known here.
        """
        now = self._clock.monotonic()
        if now - self._looked >= LOOK:
            self._looked = now
            self._look()
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() == "bearer" and token:
            # How long the look-up takes depends on the hash alone, and a hash tells nothing of its token.
            found = self._users.get(_digest(token))
            if found is not None:
                return found
        raise Unauthorized("Unauthorized")

    def _look(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            if state == self._state:
                return
            self._users = parse(self._path.read_text(encoding="utf-8"))
            self._state = state
        except (OSError, ValueError, csv.Error) as exc:
            # Better the users known so far than none because a file is being rewritten.
            log.warning(
                "token file %s can't be read, keeping %d users: %s", self._path, len(self._users), exc
            )


def parse(text: str) -> dict[bytes, User]:
    """The users of a token file, by the hash of their token.

    Raises:
        ValueError: a line has fewer than three columns, or no token or user.
    """
    users: dict[bytes, User] = {}
    for number, row in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), 1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) < 3 or not row[0] or not row[1]:
            raise ValueError(f"line {number} is not token,user,uid[,groups]")
        groups = tuple(group.strip() for group in row[3].split(",") if group.strip()) if len(row) > 3 else ()
        users[_digest(row[0])] = User(row[1], row[2], (*groups, AUTHENTICATED))
    return users


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
