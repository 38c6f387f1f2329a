"""Impersonation: whom a request asks to be taken for (`kubectl --as`, `--as-group`, `--as-uid`, `--as-user-extra`).

https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/. Whether they may is for authorization.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from app.api.user import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User, account_groups, account_of
from app.base.errors import BadRequest

_USER, _GROUP, _UID = "HTTP_IMPERSONATE_USER", "HTTP_IMPERSONATE_GROUP", "HTTP_IMPERSONATE_UID"
_EXTRA = "HTTP_IMPERSONATE_EXTRA_"


def asked(environ: dict[str, Any]) -> User | None:
    """Whom the request asks to be, with the groups that such a user is in by itself; None if it asks for nobody.

    Raises:
        BadRequest: it asks for groups, a uid or extra without a user.
    """
    name = environ.get(_USER)
    if not name:
        if _GROUP in environ or _UID in environ:
            raise BadRequest("requested groups or uid without impersonating a user")
        return None
    wanted = wishes(environ)
    groups = list(wanted.groups)
    account = account_of(name)
    if account is not None and not groups:
        groups += account_groups(account[0])
    by_itself = UNAUTHENTICATED if name == ANONYMOUS.name else AUTHENTICATED
    if by_itself not in groups:
        groups.append(by_itself)
    return User(name, wanted.uid, tuple(groups), wanted.extra)


def wishes(environ: dict[str, Any]) -> User:
    """What the headers ask for, word by word: authorization is asked for each user, group, uid and extra."""
    # A header that is sent several times comes as one, with commas.
    groups = tuple(group.strip() for group in environ.get(_GROUP, "").split(",") if group.strip())
    extra: dict[str, tuple[str, ...]] = {}
    for header, text in environ.items():
        if header.startswith(_EXTRA):
            # WSGI writes dashes as underscores, and the server lets no header with an underscore through.
            key = unquote(header.removeprefix(_EXTRA).replace("_", "-").lower())
            extra[key] = tuple(value.strip() for value in str(text).split(",") if value.strip())
    return User(environ.get(_USER, ""), environ.get(_UID, ""), groups, extra)
