"""Which logins fit an image: pull secrets, matched against its registry and path as kubelet does. Pure.

https://kubernetes.io/docs/concepts/containers/images/#config-json has the rules: a host of a secret may have `*` and
`?` in each of its parts; a path is the beginning of the image's; every login that fits is tried.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.runtime.image_store import Login
from workers.runtime.images import DOCKER_HUB, Image

# Types of Secrets with logins, and the key under which each holds them.
CONFIG = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson")
OLD_CONFIG = ("kubernetes.io/dockercfg", ".dockercfg")
# The name under which logins to Docker Hub are usually kept.
HUB_KEY = "index.docker.io"


class NoLogins(BeanpoleError):
    """A Secret can't be read as one with logins."""


@dataclass(frozen=True, slots=True)
class Key:
    """A login and the Secret it comes from: `origin` is the Secret's namespace, name and uid."""

    login: Login
    origin: tuple[str, str, str]

    @property
    def print(self) -> str:
        """What tells this login from others, without telling it."""
        text = json.dumps([self.login.username, self.login.password])
        return hashlib.sha256(text.encode()).hexdigest()


class Keyring:
    """The logins of some Secrets. Raises NoLogins."""

    def __init__(self, secrets: Iterable[Object]) -> None:
        self._keys: dict[str, list[Key]] = {}
        for secret in secrets:
            meta = secret["metadata"]
            origin = (meta.get("namespace", ""), meta["name"], meta.get("uid", ""))
            for place, login in _logins(secret):
                self._keys.setdefault(_place(place), []).append(Key(login, origin))

    def fitting(self, image: Image) -> tuple[Key, ...]:
        """The logins to try, those of longer paths first, each once."""
        found = [
            key
            for place in sorted(self._keys, reverse=True)
            if _fits(place, image.repository)
            for key in self._keys[place]
        ]
        if not found and image.registry in (DOCKER_HUB, HUB_KEY):
            found = self._keys.get(HUB_KEY, [])
        once: dict[Login, Key] = {}
        for key in found:
            once.setdefault(key.login, key)
        return tuple(once.values())


def _logins(secret: Object) -> Iterator[tuple[str, Login]]:
    name = secret["metadata"]["name"]
    data = secret.get("data") or {}
    for type_, key in (CONFIG, OLD_CONFIG):
        if secret.get("type") != type_ or not data.get(key):
            continue
        try:
            told = json.loads(base64.b64decode(data[key]))
            entries = (told.get("auths") or {}) if type_ == CONFIG[0] else told
            for place, entry in entries.items():
                yield str(place), _login(entry or {})
        except (ValueError, AttributeError, TypeError) as exc:
            raise NoLogins(f'secret "{name}" holds no logins that can be read: {exc}') from exc


def _login(entry: Object) -> Login:
    """The username and password of an entry; `auth` holds both and comes first."""
    if entry.get("auth"):
        text = str(entry["auth"])
        try:
            # Some leave the padding out.
            both = base64.b64decode(text + "=" * (-len(text) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise ValueError("auth is not base64") from exc
        username, colon, password = both.partition(":")
        if not colon:
            raise ValueError("auth is not username:password")
        return Login(username, password.strip("\x00"))
    return Login(str(entry.get("username") or ""), str(entry.get("password") or ""))


def _place(given: str) -> str:
    """Host and path without scheme. `/v1/` and `/v2/` are the registry itself."""
    host, slash, path = given.removeprefix("https://").removeprefix("http://").partition("/")
    path = slash + path
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return host + ("" if path == "/" else path)


def _fits(place: str, repository: str) -> bool:
    """Whether a place of a Secret, with wildcards, covers an image's repository."""
    wanted, slash, path = place.partition("/")
    host, _, rest = repository.partition("/")
    names, port = _split(wanted)
    own, own_port = _split(host)
    if port != own_port or len(names) != len(own):
        return False
    if slash and not f"/{rest}".startswith(f"/{path}"):
        return False
    return all(fnmatch.fnmatchcase(name, pattern) for name, pattern in zip(own, names, strict=True))


def _split(host: str) -> tuple[list[str], str]:
    name, _, port = host.partition(":")
    return name.split("."), port
