"""`beanpole token`, against an API in a dictionary."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app.base.errors import UserError
from app.cli import tokens
from app.objects import bootstrap_token
from app.objects.bootstrap_token import NODE_GROUP
from tests.clock import HandClock

START = 1_800_000_000.0


class Secrets:
    """The Secrets of `kube-system`."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def create(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        data = {key: base64.b64encode(text.encode()).decode() for key, text in obj["stringData"].items()}
        self.found[obj["metadata"]["name"]] = {**obj, "data": data}
        return obj

    def list(self, path: str, **query: Any) -> dict[str, Any]:
        return {"items": list(self.found.values())}

    def delete(self, path: str) -> None:
        del self.found[path.rpartition("/")[2]]


def made(secrets: Secrets, **changes: Any) -> bootstrap_token.BootstrapToken:
    asked = {"seconds": 3600.0, "groups": [NODE_GROUP], "description": "", **changes}
    return tokens.create(secrets, HandClock(START), **asked)  # type: ignore[arg-type]


def test_a_token_is_drawn_and_can_be_used() -> None:
    secrets = Secrets()
    token = made(secrets)
    assert bootstrap_token.split(token.text) is not None
    assert token.text != made(secrets).text
    assert tokens.listed(secrets)[0] == token  # type: ignore[arg-type]
    assert (token.authenticates, token.signs, token.expires) == (True, True, START + 3600)


def test_a_token_may_be_given_and_last_for_ever() -> None:
    token = made(Secrets(), text="abcdef.0123456789abcdef", seconds=0.0)
    assert (token.text, token.expires) == ("abcdef.0123456789abcdef", None)


def test_what_is_no_token_and_groups_that_can_not_be_given_are_refused() -> None:
    with pytest.raises(UserError, match="is no token"):
        made(Secrets(), text="abc")
    with pytest.raises(UserError, match="system:masters"):
        made(Secrets(), groups=["system:masters"])


def test_the_list_says_how_long_each_is_good() -> None:
    secrets = Secrets()
    made(secrets, text="aaaaaa.0123456789abcdef", seconds=7200.0, description="for pole2")
    made(secrets, text="bbbbbb.0123456789abcdef", seconds=0.0)
    made(secrets, text="cccccc.0123456789abcdef", seconds=60.0)
    rows = [line.split() for line in tokens.table(tokens.listed(secrets), START + 120)]  # type: ignore[arg-type]
    assert rows[0] == ["TOKEN", "TTL", "EXPIRES", "DESCRIPTION"]
    assert [row[1] for row in rows[1:]] == ["1h", "<forever>", "<invalid>"]
    assert rows[1][3:] == ["for", "pole2"]


def test_a_token_is_deleted_by_its_id_or_itself() -> None:
    secrets = Secrets()
    for text in ("aaaaaa.0123456789abcdef", "bbbbbb.0123456789abcdef"):
        made(secrets, text=text)
    assert tokens.delete(secrets, "aaaaaa") == "aaaaaa"  # type: ignore[arg-type]
    assert tokens.delete(secrets, "bbbbbb.0123456789abcdef") == "bbbbbb"  # type: ignore[arg-type]
    assert secrets.found == {}
