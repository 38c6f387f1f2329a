"""Which images this node's agent pulled, when they were used last, and for whom: kept in a small file.

Only what is written here is ever removed again, and only what is written here is kept from pods without the right
login (Kubernetes: https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification).
What the machine had before, or others put there, is everybody's, and stays.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from workers.agent.images.keyring import Key
from workers.runtime.image_store import StoredImage
from workers.runtime.images import Image

log = logging.getLogger("beanpole.agent")


@dataclass(slots=True)
class Access:
    """Who may use an image of one repository: `anyone`, or who has one of these logins (by their prints), or draws on
    one of the Secrets (namespace, name, uid) with which it was pulled."""

    anyone: bool = False
    prints: list[str] = field(default_factory=list)
    secrets: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class Pulled:
    """An image that was pulled. Times are seconds since the epoch.

    Attributes:
        names: the names under which it was pulled and that nobody had given before: these are taken away again.
        access: by repository.
    """

    id: str
    size: int
    pulled: float
    used: float
    names: list[str] = field(default_factory=list)
    access: dict[str, Access] = field(default_factory=dict)


class ImageMemory:
    """See the module. Losing the file means that nothing that was pulled before is removed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._images: dict[str, Pulled] = _read(path)

    def __len__(self) -> int:
        return len(self._images)

    def all(self) -> list[Pulled]:
        with self._lock:
            return list(self._images.values())

    def owns(self, name: str) -> bool:
        """Whether the name was given by a pull of this agent."""
        with self._lock:
            return any(name in each.names for each in self._images.values())

    def note(
        self, image: Image, found: StoredImage, key: Key | None, now: float, *, new: bool, named: bool
    ) -> None:
        """It was pulled with that login.

        Args:
            new: the machine did not have this content before. named: somebody else had given the name before.
        """
        with self._lock:
            mine = self._images.get(found.id)
            if mine is None:
                if not new:
                    return
                mine = self._images[found.id] = Pulled(found.id, found.size, now, now)
            mine.used = now
            if not named:
                for other in self._images.values():
                    if image.reference in other.names:
                        other.names.remove(image.reference)
                mine.names.append(image.reference)
            access = mine.access.setdefault(image.repository, Access())
            if key is None:
                access.anyone = True
            elif key.print not in access.prints:
                access.prints.append(key.print)
                access.secrets.append(list(key.origin))
            self._write()

    def may_use(self, image: Image, found: StoredImage, keys: Iterable[Key]) -> bool:
        """Whether a pod with these logins may use what the machine has without asking the registry."""
        with self._lock:
            mine = self._images.get(found.id)
            if mine is None:
                return True
            access = mine.access.get(image.repository)
            if access is None:
                return False
            return access.anyone or any(
                key.print in access.prints or list(key.origin) in access.secrets for key in keys
            )

    def used(self, ids: Iterable[str], now: float) -> None:
        """There are containers of these now."""
        with self._lock:
            for each in set(ids) & self._images.keys():
                self._images[each].used = now

    def forget(self, ids: Iterable[str]) -> None:
        """They are gone."""
        with self._lock:
            known = [each for each in ids if self._images.pop(each, None)]
            if known:
                self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump([asdict(each) for each in self._images.values()], file)
            fresh.replace(self._path)
        except OSError as exc:
            log.warning("what was pulled could not be written down: %s", exc)


def _read(path: Path) -> dict[str, Pulled]:
    try:
        found = [_pulled(entry) for entry in json.loads(path.read_text())]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        log.warning("%s can't be read (%s): images that were pulled before are left alone", path, exc)
        return {}
    return {each.id: each for each in found}


def _pulled(entry: dict) -> Pulled:
    access = {name: Access(**each) for name, each in entry.pop("access").items()}
    return Pulled(**entry, access=access)
