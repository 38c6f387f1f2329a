"""Bootstrap tokens and their Secrets."""

from __future__ import annotations

import base64

import pytest

from app.objects import bootstrap_token
from app.objects.bootstrap_token import BootstrapToken, read, secret_of, split

TOKEN = BootstrapToken(
    "abcdef", "0123456789abcdef", 1_800_000_000.0, True, True, ("system:bootstrappers:x",), "why"
)


def stored(token: BootstrapToken, expiration: str = "2027-01-15T08:00:00Z", **changes: str):
    """The Secret as the API keeps it."""
    made = secret_of(token, expiration)
    data = {**made.pop("stringData"), **changes}
    return {**made, "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


def test_a_token_comes_back_out_of_its_secret() -> None:
    assert read(stored(TOKEN)) == TOKEN


def test_a_token_has_its_time() -> None:
    assert not TOKEN.expired(1_799_999_999.0)
    assert TOKEN.expired(1_800_000_000.0)
    assert not BootstrapToken("abcdef", "0123456789abcdef").expired(9e9)


@pytest.mark.parametrize(
    "changes",
    [
        {"token-id": "other1"},
        {"token-secret": "short"},
        {"expiration": "soon"},
        {"auth-extra-groups": "system:masters"},
    ],
)
def test_a_damaged_secret_holds_no_token(changes: dict[str, str]) -> None:
    assert read(stored(TOKEN, **changes)) is None


def test_a_secret_of_another_type_holds_none() -> None:
    assert read({**stored(TOKEN), "type": "Opaque"}) is None


@pytest.mark.parametrize("text", ["", "abcdef", "abcdef.0123", "ABCDEF.0123456789abcdef", "a.b.c"])
def test_what_has_not_the_form_of_a_token_is_none(text: str) -> None:
    assert split(text) is None


def test_only_groups_of_bootstrappers_can_be_given() -> None:
    assert bootstrap_token.wrong_groups(["system:bootstrappers:a", "system:masters"]) == ["system:masters"]
