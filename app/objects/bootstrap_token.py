"""Bootstrap tokens, as they lie in Secrets of `kube-system`.

https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#bootstrap-token-secret-format
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.objects.change import Object

TYPE = "bootstrap.kubernetes.io/token"
NAMESPACE = "kube-system"
PREFIX = "bootstrap-token-"
GROUP = "system:bootstrappers"
# The group whose members' node certificates are approved unseen, as `kubeadm` names it.
NODE_GROUP = "system:bootstrappers:kubeadm:default-node-token"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class BootstrapToken:
    """One token. `expires` in seconds since the epoch; None: never."""

    id: str
    secret: str
    expires: float | None = None
    authenticates: bool = False
    signs: bool = False
    groups: tuple[str, ...] = ()
    description: str = ""

    @property
    def text(self) -> str:
        return f"{self.id}.{self.secret}"

    def expired(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now


def split(token: str) -> tuple[str, str] | None:
    """Id and secret, if it has the form of a bootstrap token."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2]) if found else None


def key_of(name: str) -> str:
    """Where the token of that id lies."""
    return f"{NAMESPACE}/{PREFIX}{name}"


def read(secret: Object) -> BootstrapToken | None:
    """The token in a Secret; None if it is none, or is damaged: then it opens nothing."""
    if secret.get("type") != TYPE:
        return None
    try:
        data = {
            k: base64.b64decode(v or "", validate=True).decode()
            for k, v in (secret.get("data") or {}).items()
        }
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, text = data.get("token-id", ""), data.get("token-secret", "")
    if split(f"{name}.{text}") is None or secret["metadata"]["name"] != PREFIX + name:
        return None
    expires = None
    if data.get("expiration"):
        try:
            moment = datetime.fromisoformat(data["expiration"])
        except ValueError:
            return None
        expires = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    groups = tuple(group.strip() for group in data.get("auth-extra-groups", "").split(",") if group.strip())
    if not all(_GROUP.fullmatch(group) for group in groups):
        return None
    return BootstrapToken(
        name,
        text,
        expires,
        data.get("usage-bootstrap-authentication") == "true",
        data.get("usage-bootstrap-signing") == "true",
        groups,
        data.get("description", ""),
    )


def secret_of(token: BootstrapToken, expiration: str) -> Object:
    """The Secret in which a token lies; `expiration` in RFC 3339, empty for never."""
    data: dict[str, str] = {
        "token-id": token.id,
        "token-secret": token.secret,
        "usage-bootstrap-authentication": _flag(token.authenticates),
        "usage-bootstrap-signing": _flag(token.signs),
        "auth-extra-groups": ",".join(token.groups),
        "description": token.description,
        "expiration": expiration,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": PREFIX + token.id, "namespace": NAMESPACE},
        "type": TYPE,
        "stringData": {key: value for key, value in data.items() if value},
    }


def wrong_groups(groups: Sequence[str]) -> list[str]:
    """Those that a token can't put its holder in: only `system:bootstrappers:...` can be given."""
    return [group for group in groups if not _GROUP.fullmatch(group)]


def _flag(value: bool) -> str:
    return "true" if value else ""
