"""Who asks, as authentication finds out and authorization, admission and the change log see it.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#users-in-kubernetes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ACCOUNTS = "system:serviceaccounts"
ACCOUNT_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A user.

    `extra`: what else authentication knows, by key, such as the pod that a token is bound to.
    """

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


ANONYMOUS = User("system:anonymous", "", (UNAUTHENTICATED,))


def account_groups(namespace: str) -> tuple[str, ...]:
    """The groups that every ServiceAccount of a namespace is in."""
    return (ACCOUNTS, f"{ACCOUNTS}:{namespace}")


def account_of(name: str) -> tuple[str, str] | None:
    """Namespace and name of the ServiceAccount that a user's name stands for, if it does."""
    namespace, colon, account = name.removeprefix(ACCOUNT_PREFIX).partition(":")
    if not name.startswith(ACCOUNT_PREFIX) or not colon or not namespace or not account or ":" in account:
        return None
    return namespace, account
