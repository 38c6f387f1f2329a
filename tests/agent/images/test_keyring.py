"""Which logins fit an image."""

from __future__ import annotations

import base64
import json

import pytest

from tests.agent.images.store import secret_of
from workers.agent.images.keyring import Keyring, NoLogins
from workers.runtime import images


def users(image: str, *configs: dict[str, object]) -> list[str]:
    secrets = [secret_of(f"s{n}", {"auths": config}) for n, config in enumerate(configs)]
    return [key.login.username for key in Keyring(secrets).fitting(images.parse(image))]


def entry(user: str) -> dict[str, str]:
    return {"username": user, "password": "p"}


@pytest.mark.parametrize(
    ("place", "image", "fits"),
    [
        ("registry.example.com", "registry.example.com/team/web:1", True),
        ("https://registry.example.com", "registry.example.com/team/web:1", True),
        ("https://registry.example.com/v1/", "registry.example.com/web", True),
        ("https://registry.example.com/v2/", "registry.example.com/web", True),
        ("registry.example.com/team", "registry.example.com/team/web", True),
        ("registry.example.com/team/web", "registry.example.com/team/web", True),
        ("registry.example.com/te", "registry.example.com/team/web", True),
        ("registry.example.com/other", "registry.example.com/team/web", False),
        ("*.example.com", "registry.example.com/web", True),
        ("reg*.example.com", "registry.example.com/web", True),
        ("registry.ex?mple.com", "registry.example.com/web", True),
        ("*.example.com", "a.registry.example.com/web", False),
        ("*.com", "registry.example.com/web", False),
        ("*.example.com/team", "registry.example.com/team/web", True),
        ("registry.example.com:5000", "registry.example.com:5000/web", True),
        ("registry.example.com", "registry.example.com:5000/web", False),
        ("registry.example.com:5000", "registry.example.com/web", False),
        ("127.0.0.1:5000", "127.0.0.1:5000/web", True),
        ("https://index.docker.io/v1/", "web", True),
        ("https://index.docker.io/v1/", "team/web", True),
        ("https://index.docker.io/v1/", "docker.io/team/web", True),
        ("https://index.docker.io/v1/", "localhost:5000/web", False),
        ("docker.io", "web", True),
        ("docker.io/library", "web", True),
        ("docker.io/team", "web", False),
    ],
)
def test_a_login_fits_by_host_and_path(place: str, image: str, fits: bool) -> None:
    assert users(image, {place: entry("me")}) == (["me"] if fits else [])


def test_all_that_fit_are_tried_longer_paths_first() -> None:
    first = {"registry.example.com": entry("any"), "other.example.com": entry("nobody")}
    second = {"registry.example.com/team": entry("team"), "*.example.com": entry("star")}
    third = {"registry.example.com": entry("again")}
    assert users("registry.example.com/team/web", first, second, third) == ["team", "any", "again", "star"]


def test_a_login_that_stands_twice_is_tried_once() -> None:
    both = {"registry.example.com": entry("me"), "registry.example.com/team": entry("me")}
    assert users("registry.example.com/team/web", both) == ["me"]


@pytest.mark.parametrize("padding", [True, False])
def test_auth_holds_username_and_password_with_padding_or_without(padding: bool) -> None:
    text = base64.b64encode(b"me:a:b").decode()
    given = text if padding else text.rstrip("=")
    [key] = Keyring([secret_of("s", {"auths": {"r.example.com": {"auth": given}}})]).fitting(
        images.parse("r.example.com/web")
    )
    assert (key.login.username, key.login.password) == ("me", "a:b")
    assert key.origin == ("default", "s", "uid-s")


def test_the_older_type_of_secret_is_read_too() -> None:
    secret = secret_of("s", {})
    content = base64.b64encode(json.dumps({"r.example.com": entry("old")}).encode()).decode()
    secret |= {"type": "kubernetes.io/dockercfg", "data": {".dockercfg": content}}
    [key] = Keyring([secret]).fitting(images.parse("r.example.com/web"))
    assert key.login.username == "old"


def test_secrets_of_other_types_hold_no_logins() -> None:
    secret = secret_of("s", {"auths": {"r.example.com": entry("me")}}) | {"type": "Opaque"}
    assert Keyring([secret]).fitting(images.parse("r.example.com/web")) == ()


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"auths": ["r.example.com"]},
        {"auths": {"r.example.com": "me"}},
        {"auths": {"r.example.com": {"auth": "#"}}},
        {"auths": {"r.example.com": {"auth": base64.b64encode(b"me").decode()}}},
    ],
)
def test_what_can_not_be_read_is_told_by_the_secrets_name(config: object) -> None:
    with pytest.raises(NoLogins, match='secret "s"'):
        Keyring([secret_of("s", config)])


def test_a_print_tells_logins_apart_and_does_not_tell_them() -> None:
    one, other = (
        Keyring([secret_of("s", {"auths": {"r.example.com": {"username": "me", "password": word}}})])
        .fitting(images.parse("r.example.com/web"))[0]
        .print
        for word in ("swordfish", "marlin")
    )
    assert one != other
    assert "swordfish" not in one
