"""`beanpole token`: bootstrap tokens, by which other machines join.

https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-token/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.base.clock import Clock, rfc3339
from app.base.errors import UserError
from app.base.ids import letters
from app.client.http import ApiClient
from app.objects import bootstrap_token
from app.objects.bootstrap_token import BootstrapToken
from app.trust.authority import pins_of

PATH = f"/api/v1/namespaces/{bootstrap_token.NAMESPACE}/secrets"


def drawn() -> tuple[str, str]:
    """A new token's id and secret, which nobody can guess."""
    return letters(6), letters(16)


def create(
    client: ApiClient,
    clock: Clock,
    *,
    seconds: float,
    groups: Sequence[str],
    description: str,
    text: str = "",
) -> BootstrapToken:
    """Make a token that is good for `seconds`, 0: for ever.

    Raises:
        UserError: `text` has not the form of a token, or a group can't be given. ApiError: the API refuses it.
    """
    parts = bootstrap_token.split(text) if text else drawn()
    if parts is None:
        raise UserError(
            f"{text!r} is no token; it must be 6 letters or digits, a dot, and 16 of them, all lower case"
        )
    wrong = bootstrap_token.wrong_groups(groups)
    if wrong:
        raise UserError(
            f"a token can't put anybody in the group {wrong[0]}: it must begin with system:bootstrappers:"
        )
    expires = clock.now() + seconds if seconds else None
    token = BootstrapToken(*parts, expires, True, True, tuple(groups), description)
    client.create(PATH, bootstrap_token.secret_of(token, rfc3339(expires) if expires else ""))
    return token


def listed(client: ApiClient) -> list[BootstrapToken]:
    """All tokens that can be used."""
    found = client.list(PATH, fieldSelector=f"type={bootstrap_token.TYPE}")["items"]
    return [token for token in map(bootstrap_token.read, found) if token is not None]


def delete(client: ApiClient, text: str) -> str:
    """Remove the token of that id, or with that text; its id. Raises NotFound."""
    name = text.partition(".")[0]
    client.delete(f"{PATH}/{bootstrap_token.PREFIX}{name}")
    return name


def table(tokens: Sequence[BootstrapToken], now: float) -> Iterator[str]:
    """The tokens as lines."""
    row = "{:<24}{:<12}{:<24}{}"
    yield row.format("TOKEN", "TTL", "EXPIRES", "DESCRIPTION").rstrip()
    for token in tokens:
        left = "<forever>" if token.expires is None else _left(token.expires - now)
        until = "<never>" if token.expires is None else rfc3339(token.expires)
        yield row.format(token.text, left, until, token.description or "<none>")


def join_command(token: BootstrapToken, server: str, authority: Path) -> str:
    """What to type on a machine that is to join."""
    pins = " ".join(f"--ca-hash {pin}" for pin in pins_of(authority.read_bytes()))
    return f"beanpole agent --server {server} --token {token.text} {pins}"


def _left(seconds: float) -> str:
    if seconds <= 0:
        return "<invalid>"
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}h" if hours else f"{rest // 60}m"
