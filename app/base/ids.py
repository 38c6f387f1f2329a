"""Identities and random numbers: the one place that draws them."""

from __future__ import annotations

import random
import secrets
import string
import uuid
from typing import Protocol

# Kubernetes draws generated names from letters that can't form words and digits that can't be
# mistaken for letters (k8s.io/apimachinery/pkg/util/rand).
SAFE = "bcdfghjklmnpqrstvwxz2456789"


class Ids(Protocol):
    """Where identities come from."""

    def uid(self) -> str:
        """A new object's `metadata.uid`: a UUID in text form."""
        ...

    def suffix(self) -> str:
        """Five letters to follow `metadata.generateName`."""
        ...

    def trace(self) -> str:
        """A new trace: 16 hexadecimal digits."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


def secret() -> str:
    """A password or token that nobody can guess: 43 URL-safe letters."""
    return secrets.token_urlsafe(32)


def letters(length: int) -> str:
    """So many lower-case letters and digits that nobody can guess."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))


class RandomIds:
    """Identities from a random source; `RandomIds(seed)` draws the same ones every time."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.SystemRandom() if seed is None else random.Random(seed)

    def uid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def suffix(self) -> str:
        return "".join(self._random.choices(SAFE, k=5))

    def trace(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def fraction(self) -> float:
        return self._random.random()
