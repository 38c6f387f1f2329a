"""Handshakes of WebSockets that are none are refused, whatever else the request says."""

from __future__ import annotations

import socket

import pytest

from app.api.sessions.websocket import WebSocket
from app.base.errors import BadRequest, Forbidden

ASKED = {
    "HTTP_CONNECTION": "Upgrade",
    "HTTP_UPGRADE": "websocket",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_SEC_WEBSOCKET_KEY": "AAAAAAAAAAAAAAAAAAAAAA==",
    "HTTP_SEC_WEBSOCKET_PROTOCOL": "v5.channel.k8s.io",
}


@pytest.mark.parametrize(
    "more", [{}, {"HTTP_HOST": "\xe9"}, {"HTTP_COOKIE": "\x00"}, {"PATH_INFO": "/\xe9 \x00"}]
)
def test_what_else_a_request_says_does_not_matter(more: dict[str, str]) -> None:
    assert WebSocket({**ASKED, **more}, ["v5.channel.k8s.io"]).protocol == "v5.channel.k8s.io"


@pytest.mark.parametrize("name", [name for name in ASKED if name != "HTTP_SEC_WEBSOCKET_PROTOCOL"])
@pytest.mark.parametrize("value", ["", "\xe9", "\x00", "x\ny"])
def test_a_handshake_that_lacks_something_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadRequest):
        WebSocket({**ASKED, name: value}, ["v5.channel.k8s.io"])


@pytest.mark.parametrize("protocol", ["\xe9", "\x00", "x"])
def test_a_protocol_that_is_none_is_not_agreed_upon(protocol: str) -> None:
    with pytest.raises(Forbidden):
        WebSocket({**ASKED, "HTTP_SEC_WEBSOCKET_PROTOCOL": protocol}, ["v5.channel.k8s.io"], needed=True)


def test_what_is_said_after_goodbye_fails_as_it_does_when_the_client_has_gone() -> None:
    line = WebSocket(ASKED, ["v5.channel.k8s.io"])
    near, far = socket.socketpair()
    with near, far:
        line.open(near)
        line.close()
        with pytest.raises(OSError, match="closed"):
            line.send(b"one more thing")
        line.close()
