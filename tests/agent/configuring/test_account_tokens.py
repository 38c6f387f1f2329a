"""Tokens of pods: asked for once, written into volumes, renewed in time, and kept while the API is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.base.clock import rfc3339
from app.base.errors import BeanpoleError
from app.base.ids import RandomIds
from app.client.http import Unreachable
from app.objects.change import Object
from tests.agent.world import pod
from tests.clock import HandClock
from workers.agent.configuring.account_tokens import AccountTokens
from workers.agent.configuring.sources import ConfigError, Sources
from workers.agent.volumes.volumes import Volumes

HOUR = {"path": "token", "expirationSeconds": 3600}


class Api:
    """Gives out tokens that count up."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, str, Object]] = []
        self.trouble: BeanpoleError | None = None

    def request(self, namespace: str, account: str, request: Object) -> Object:
        if self.trouble:
            raise self.trouble
        self.asked.append((namespace, account, request))
        ends = self.clock.at + request["spec"]["expirationSeconds"]
        return {"status": {"token": f"token-{len(self.asked)}", "expirationTimestamp": rfc3339(ends)}}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def api(clock: HandClock) -> Api:
    return Api(clock)


@pytest.fixture
def tokens(api: Api, clock: HandClock) -> AccountTokens:
    return AccountTokens(api.request, clock, RandomIds(1))


def test_a_token_is_bound_to_its_pod(api: Api, tokens: AccountTokens) -> None:
    asked = pod()
    asked["spec"]["serviceAccountName"] = "robot"
    assert tokens.get(asked, {**HOUR, "audience": "vault"}) == "token-1"
    namespace, account, request = api.asked[0]
    assert (namespace, account) == (asked["metadata"]["namespace"], "robot")
    assert request["spec"] == {
        "audiences": ["vault"],
        "expirationSeconds": 3600,
        "boundObjectRef": {
            "kind": "Pod",
            "apiVersion": "v1",
            "name": asked["metadata"]["name"],
            "uid": asked["metadata"]["uid"],
        },
    }


def test_a_token_is_renewed_when_most_of_its_time_is_over(tokens: AccountTokens, clock: HandClock) -> None:
    asked = pod()
    uid = asked["metadata"]["uid"]
    assert tokens.get(asked, HOUR) == "token-1"
    clock.move(2800)
    assert not tokens.due(uid)
    assert tokens.get(asked, HOUR) == "token-1"
    clock.move(90)
    assert tokens.due(uid)
    assert tokens.get(asked, HOUR) == "token-2"
    assert not tokens.due(uid)


def test_a_token_for_long_is_renewed_every_day(tokens: AccountTokens, clock: HandClock) -> None:
    asked = pod()
    tokens.get(asked, {"path": "t", "expirationSeconds": 30 * 86400})
    clock.move(86400)
    assert tokens.due(asked["metadata"]["uid"])


def test_a_token_is_kept_while_the_api_is_away_and_it_is_good(
    api: Api, tokens: AccountTokens, clock: HandClock
) -> None:
    asked = pod()
    tokens.get(asked, HOUR)
    api.trouble = Unreachable("away")
    clock.move(3000)
    assert tokens.get(asked, HOUR) == "token-1"
    clock.move(700)
    with pytest.raises(ConfigError, match="failed to fetch token: away"):
        tokens.get(asked, HOUR)
    api.trouble = None
    assert tokens.get(asked, HOUR) == "token-2"


def test_each_audience_has_a_token_of_its_own_and_a_pod_that_is_gone_has_none(
    tokens: AccountTokens, clock: HandClock
) -> None:
    asked = pod()
    uid = asked["metadata"]["uid"]
    assert tokens.get(asked, HOUR) != tokens.get(asked, {**HOUR, "audience": "vault"})
    tokens.forget(uid)
    clock.move(86400)
    assert not tokens.due(uid)


def test_the_token_lies_in_the_volume_beside_other_sources(
    tmp_path: Path, tokens: AccountTokens, clock: HandClock
) -> None:
    asked = pod()
    name = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    asked["spec"]["volumes"] = [
        {
            "name": "access",
            "projected": {"sources": [{"serviceAccountToken": HOUR}, {"downwardAPI": {"items": [name]}}]},
        }
    ]
    volumes = Volumes(tmp_path, asked)
    volumes.write(Sources(asked, {}, tokens=tokens.get))
    folder = tmp_path / "volumes" / "access"
    assert (folder / "token").read_text() == "token-1"
    assert (folder / "namespace").read_text() == asked["metadata"]["namespace"]
    opened = (folder / "token").open()
    clock.move(3000)
    volumes.write(Sources(asked, {}, tokens=tokens.get))
    assert (folder / "token").read_text() == "token-2"
    assert opened.read() == "token-1"


def test_where_nobody_could_read_a_token_there_is_no_volume(tmp_path: Path) -> None:
    asked = pod()
    asked["spec"]["volumes"] = [{"name": "access", "projected": {"sources": [{"serviceAccountToken": HOUR}]}}]
    Volumes(tmp_path, asked).write(Sources(asked, {}))
    assert not (tmp_path / "volumes" / "access").exists()
