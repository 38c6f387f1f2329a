"""A machine joins a cluster only if each side has proved itself to the other."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from app.base.errors import UserError
from app.cli import node_join
from app.cli.join import local_settings
from app.cli.node_join import Joining, join
from app.client.statuses import error_of
from app.trust import discovery_signature
from app.trust.authority import make_authority, pin_of, save_authority
from app.trust.requests import sign
from tests.clock import HandClock

SERVER = "https://pole.example:6443"
TOKEN = "abcdef.0123456789abcdef"
SETTINGS = {"cluster": "c1", "service_cidr": "10.96.0.0/16"}
START = 1_800_000_000.0


class Cluster:
    """The API of a cluster that machines join, as far as they see it; and what it was told."""

    def __init__(self, folder: Path) -> None:
        self.authority = make_authority("test", START)
        save_authority(self.authority, folder / "its-ca.crt", folder / "its-ca.key")
        data = base64.b64encode((folder / "its-ca.crt").read_bytes()).decode()
        extension = [{"name": "beanpole", "extension": SETTINGS}]
        cluster = {"server": SERVER, "certificate-authority-data": data, "extensions": extension}
        content = json.dumps({"clusters": [{"name": "", "cluster": cluster}]})
        self.info = {
            "kubeconfig": content,
            "jws-kubeconfig-abcdef": discovery_signature.sign(content, "abcdef", "0123456789abcdef"),
        }
        self.requests: list[dict[str, Any]] = []
        self.shown: list[tuple[str, str]] = []
        self.denies = False

    def client(self, server: str, *, token: str = "", ca_data: str = "", insecure: bool = False, **rest: Any):
        cluster = self
        # Whoever is not sure of the server yet must not show it anything.
        assert insecure == (not ca_data)
        assert not (insecure and token)

        class Client:
            def get(self, path: str, **query: Any) -> dict[str, Any]:
                if path == node_join.INFO:
                    return {"data": cluster.info}
                return cluster.requests[-1]

            def create(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
                cluster.shown.append((token, ca_data))
                cluster.requests.append(
                    {**obj, "metadata": {"name": "node-csr-1"}, "status": cluster.answer(obj)}
                )
                return {**cluster.requests[-1], "status": {}}

            def close(self) -> None:
                """Nothing is held."""

        return Client()

    def answer(self, obj: dict[str, Any]) -> dict[str, Any]:
        if self.denies:
            return {"conditions": [{"type": "Denied", "status": "True", "message": "not you"}]}
        pem = base64.b64decode(obj["spec"]["request"])
        made = sign(self.authority, pem, obj["spec"]["usages"], START, 86400)
        return {"certificate": base64.b64encode(made).decode()}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster(tmp_path)
    monkeypatch.setattr(node_join, "ApiClient", made.client)
    return made


def joining(tmp_path: Path, **changes: Any) -> Joining:
    usual = {
        "server": SERVER,
        "token": TOKEN,
        "node": "n1",
        "folder": tmp_path / "node",
        "runtime": "process",
    }
    return Joining(**{**usual, **changes})


def test_a_machine_with_a_token_gets_a_certificate_of_its_own(cluster: Cluster, tmp_path: Path) -> None:
    environ = join(joining(tmp_path, pins=[pin_of(cluster.authority.certificate)]), HandClock(START))
    folder = tmp_path / "node"
    assert environ["BEANPOLE_CLUSTER"] == "c1"
    assert environ["BEANPOLE_CLIENT_CERT_FILE"] == str(folder / "node.crt")
    assert (folder / "node.key").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" not in base64.b64decode(cluster.requests[0]["spec"]["request"])
    # The token went to a server whose certificate the signed authority vouches for.
    assert cluster.shown == [(TOKEN, (folder / "ca.crt").read_text())]


def test_it_joins_once_and_needs_no_token_afterwards(cluster: Cluster, tmp_path: Path) -> None:
    first = join(joining(tmp_path), HandClock(START))
    assert join(joining(tmp_path, token=""), HandClock(START + 3600)) == first
    assert len(cluster.requests) == 1


def test_what_runs_its_containers_is_chosen_once_for_all_that_come_after(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_join, "ask", lambda _: "docker\tan engine answers")
    assert join(joining(tmp_path, runtime=""), HandClock(START))["BEANPOLE_RUNTIME"] == "docker"
    monkeypatch.setattr(node_join, "ask", lambda _: "process\tno engine answers")
    assert join(joining(tmp_path, runtime=""), HandClock(START))["BEANPOLE_RUNTIME"] == "docker"
    # `beanpole down` reads it there.
    assert local_settings(tmp_path / "node")["BEANPOLE_RUNTIME"] == "docker"


def test_after_its_certificate_has_ended_it_has_to_join_anew(cluster: Cluster, tmp_path: Path) -> None:
    join(joining(tmp_path), HandClock(START))
    with pytest.raises(UserError, match="give a token with --token"):
        join(joining(tmp_path, token=""), HandClock(START + 2 * 86400))
    join(joining(tmp_path), HandClock(START + 2 * 86400))
    assert len(cluster.requests) == 2


def test_a_server_that_does_not_know_the_token_is_not_trusted(cluster: Cluster, tmp_path: Path) -> None:
    cluster.info["jws-kubeconfig-abcdef"] = discovery_signature.sign(
        cluster.info["kubeconfig"], "abcdef", "another-secret00"
    )
    with pytest.raises(UserError, match="don't trust it"):
        join(joining(tmp_path), HandClock(START))
    assert cluster.shown == []


def test_a_server_with_another_authority_than_the_pinned_one_is_not_trusted(
    cluster: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="not the one of --ca-hash"):
        join(joining(tmp_path, pins=["sha256:00"]), HandClock(START))
    assert cluster.shown == []


def test_an_unknown_token_is_said_to_be_one(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not know the token fedcba"):
        join(joining(tmp_path, token="fedcba.0123456789abcdef"), HandClock(START))


def test_a_denied_request_is_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster.denies = True
    with pytest.raises(UserError, match="was denied: not you"):
        join(joining(tmp_path), HandClock(START))


def test_a_folder_is_one_nodes(cluster: Cluster, tmp_path: Path) -> None:
    join(joining(tmp_path), HandClock(START))
    with pytest.raises(UserError, match="is that of the node n1"):
        join(joining(tmp_path, node="n2"), HandClock(START))


def test_a_refusal_of_the_api_is_one_line(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(obj: dict[str, Any]) -> dict[str, Any]:
        raise error_of(403, b'{"kind":"Status","reason":"Forbidden","message":"no"}')

    monkeypatch.setattr(cluster, "answer", refuse)
    with pytest.raises(UserError, match="gives no certificate: no"):
        join(joining(tmp_path), HandClock(START))
