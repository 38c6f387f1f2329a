"""Users of a token file: lines `token,user,uid,"group,group"`, as kube-apiserver's --token-auth-file.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file. The file is read again
when it changes. Tokens are kept and compared as hashes only.
"""

from __future__ import annotations

import csv
import hashlib
import logging
from pathlib import Path

from app.api.user import AUTHENTICATED, User
from app.base.clock import Clock

log = logging.getLogger("beanpole.authn")

# How often the file is looked at, in seconds.
LOOK = 1.0


class Tokens:
    """The users that a token file names."""

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self._users: dict[bytes, User] = {}
        self._state: tuple[int, int] | None = None
        self._looked = float("-inf")

    def user(self, token: str) -> User | None:
        """Whose token this is, if anybody's."""
        now = self._clock.monotonic()
        if now - self._looked >= LOOK:
            self._looked = now
            self._look()
        # How long the look-up takes depends on the hash alone, and a hash tells nothing of its token.
        return self._users.get(digest(token))

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
        users[digest(row[0])] = User(row[1], row[2], (*groups, AUTHENTICATED))
    return users


def digest(token: str) -> bytes:
    """The hash by which a token is known here."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
