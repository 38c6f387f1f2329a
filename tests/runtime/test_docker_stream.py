"""Connections that an engine hands over, plain and over TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.base.clock import SystemClock
from app.trust import authority as pki
from tests import descriptors
from workers.runtime.docker import interactive
from workers.runtime.docker.client import Client
from workers.runtime.docker.stream import Stream
from workers.runtime.interactive import STDERR, STDOUT
from workers.runtime.protocol import ContainerError

# More than a connection holds.
MUCH = bytes(range(256)) * 4096


def framed(name: int, text: bytes) -> bytes:
    return struct.pack(">BxxxI", name, len(text)) + text


def secured(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What an engine and who trusts it need to speak TLS."""
    now = SystemClock().now()
    authority = pki.make_authority("test", now)
    pki.save_authority(authority, folder / "ca.crt", folder / "ca.key")
    for name, content in zip(("crt", "key"), pki.make_server_pair(authority, ["engine"], now), strict=True):
        (folder / f"server.{name}").write_bytes(content)
    engine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    engine.load_cert_chain(folder / "server.crt", folder / "server.key")
    return engine, ssl.create_default_context(cafile=str(folder / "ca.crt"))


@pytest.fixture(params=["plain", "tls"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, socket.socket]]:
    """An engine's end of a connection, and ours."""
    engine, ours = socket.socketpair()
    if request.param == "tls":
        server, client = secured(tmp_path)
        engines: list[socket.socket] = []
        shaking = threading.Thread(
            target=lambda: engines.append(server.wrap_socket(engine, server_side=True))
        )
        shaking.start()
        ours = client.wrap_socket(ours, server_hostname="engine")
        shaking.join(10)
        engine = engines[0]
    with engine, ours:
        yield engine, ours


def everything(stream: Stream) -> dict[int, bytes]:
    """What is said until the end, by who says it."""
    found: dict[int, bytes] = {}
    while (piece := stream.read(10)) is not None:
        name, data = piece
        found[name] = found.get(name, b"") + data
    return found


def test_what_is_said_is_told_apart(line: tuple[socket.socket, socket.socket]) -> None:
    engine, ours = line
    engine.sendall(framed(1, b"out ") + framed(2, b"err"))
    stream = Stream(ours, framed=True)
    assert stream.read(10) == (STDOUT, b"out ")
    assert stream.read(10) == (STDERR, b"err")
    assert stream.read(0) == (STDOUT, b"")

    engine.sendall(framed(1, b"whole")[:10])
    assert stream.read(10) == (STDOUT, b"wh")
    engine.sendall(b"ole")
    assert stream.read(10) == (STDOUT, b"ole")
    engine.close()
    assert stream.read(10) is None
    stream.close()


def test_all_that_is_typed_comes_back(line: tuple[socket.socket, socket.socket]) -> None:
    engine, ours = line
    stream = Stream(ours, framed=True)
    tells_end = not isinstance(ours, ssl.SSLSocket)

    def cat() -> None:
        left = len(MUCH)
        while (left or tells_end) and (data := engine.recv(65536)):
            engine.sendall(framed(1, data))
            left -= len(data)
        engine.sendall(framed(2, b"done"))
        engine.close()

    speaking = threading.Thread(target=cat)
    speaking.start()
    came: list[dict[int, bytes]] = []
    reading = threading.Thread(target=lambda: came.append(everything(stream)))
    reading.start()
    left = MUCH
    while left:
        left = left[stream.write(left, 10) :]
    if tells_end:
        stream.end_input()
    for each in (speaking, reading):
        each.join(20)
    assert came == [{STDOUT: MUCH, STDERR: b"done"}]
    stream.close()


def test_nobody_waits_for_an_engine_that_takes_no_more(line: tuple[socket.socket, socket.socket]) -> None:
    _, ours = line
    stream = Stream(ours, framed=False)
    while stream.write(MUCH, 0.01):
        pass
    assert stream.read(0) == (STDOUT, b"")
    stream.close()
    with pytest.raises(BrokenPipeError):
        stream.write(b"more", 0)


def test_a_connection_is_given_back_at_once(tmp_path: Path) -> None:
    """What the SDK hands out and the answer that it came with hold each other."""
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "d.sock"))
        engine.listen()
        served: list[socket.socket] = []

        def serve() -> None:
            served.append(engine.accept()[0])
            asked = b""
            while not asked.endswith(b"}"):
                asked += served[0].recv(65536)
            served[0].sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")

        serving = threading.Thread(target=serve)
        serving.start()
        client = Client(base_url=f"unix://{tmp_path}/d.sock", version="1.41")
        before = descriptors.held()
        Stream(client.exec_start("any", socket=True), framed=True).close()
        serving.join(10)
        with served[0] as line:
            assert line.recv(1) == b""
        assert descriptors.held() - before == {}
        client.close()


def test_a_command_whose_input_could_not_be_ended_is_not_begun() -> None:
    engine: Any = SimpleNamespace(base_url="https://engine:2376")
    with pytest.raises(ContainerError, match="reached by TLS"):
        interactive.Command(engine, "any", ["cat"], stdin=True, tty=False, clock=SystemClock())
