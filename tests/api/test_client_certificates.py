"""Client certificates on real connections: who shows a good one is somebody, who shows a bad one gets 401, and
nobody else notices."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from pathlib import Path

import pytest

from app.trust import authority as pki
from tests.api.test_serving import Server

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
HOUR = 3600.0


@pytest.fixture
def server(tmp_path: Path, redis_url: str, cluster: str):
    made = Server(tmp_path, redis_url, cluster)
    made.environ["BEANPOLE_CLIENT_CA_FILE"] = str(tmp_path / "ca.pem")
    made.start()
    yield made
    made.stop()


class Client:
    """Somebody with a certificate of their own, or none."""

    def __init__(self, server: Server, pair: tuple[bytes, bytes] | None = None) -> None:
        context = ssl.create_default_context(cafile=str(server.folder / "ca.pem"))
        if pair is not None:
            (server.folder / "client.crt").write_bytes(pair[0])
            (server.folder / "client.key").write_bytes(pair[1])
            context.load_cert_chain(server.folder / "client.crt", server.folder / "client.key")
        self.connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=20)

    def ask(self, token: str = "", method: str = "POST", path: str = WHOAMI):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.connection.request(method, path, b"{}" if method == "POST" else None, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def authority(server: Server) -> pki.Authority:
    return pki.load_authority(server.folder / "ca.pem", server.folder / "ca.key")


def pair(server: Server, user: str = "joe", begins: float | None = None, by: pki.Authority | None = None):
    now = time.time() if begins is None else begins
    return pki.make_client_pair(by or authority(server), user, ["devs", "ops"], now, HOUR)


def test_a_good_certificate_says_user_and_groups(server: Server) -> None:
    client = Client(server, pair(server))
    for _ in range(2):
        status, answer = client.ask()
        assert status == 201
        info = answer["status"]["userInfo"]
        assert (info["username"], info["groups"]) == ("joe", ["devs", "ops", "system:authenticated"])
        [credential] = info["extra"]["authentication.kubernetes.io/credential-id"]
        assert credential.startswith("X509SHA256=")


def test_an_expired_certificate_and_one_of_others_get_401(server: Server) -> None:
    stranger = pki.make_authority("test", time.time())
    for shown in (pair(server, begins=time.time() - 2 * HOUR), pair(server, by=stranger)):
        status, answer = Client(server, shown).ask()
        assert (status, answer["reason"]) == (401, "Unauthorized")


def test_a_token_helps_where_the_certificate_does_not(server: Server) -> None:
    client = Client(server, pair(server, by=pki.make_authority("test", time.time())))
    assert client.ask("admin-token")[1]["status"]["userInfo"]["username"] == "admin"
    assert client.ask("wrong")[0] == 401


def test_a_good_certificate_counts_before_a_token(server: Server) -> None:
    assert Client(server, pair(server)).ask("admin-token")[1]["status"]["userInfo"]["username"] == "joe"


def test_without_a_certificate_all_is_as_it_was(server: Server) -> None:
    client = Client(server)
    assert client.ask("admin-token")[0] == 201
    assert client.ask()[0] == 401
    assert client.ask(method="GET", path="/version")[0] == 200


def test_a_connection_that_is_resumed_is_still_somebodys(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.folder / "ca.pem"))
    certificate, key = pair(server)
    (server.folder / "client.crt").write_bytes(certificate)
    (server.folder / "client.key").write_bytes(key)
    context.load_cert_chain(server.folder / "client.crt", server.folder / "client.key")
    request = (
        f"POST {WHOAMI} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
    )
    session = None
    for resumed in (False, True):
        plain = socket.create_connection(("127.0.0.1", server.port))
        with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
            assert b'"username":"joe"' in answer
            assert connection.session_reused is resumed
            session = connection.session
