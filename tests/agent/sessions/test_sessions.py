"""Sessions of users with a node's containers and ports, as the agent serves them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.base.frames import LONGEST, Decoder, Frame, Part, encode
from app.client.channel import Channel
from tests.agent.world import World, pod
from workers.agent.sessions import connection, ports
from workers.agent.sessions.connection import Connection
from workers.agent.sessions.interactions import talk
from workers.agent.sessions.line import HungUp, Line
from workers.agent.sessions.sessions import Sessions

Work = Callable[[], None]


class User:
    """The API's end of an agent's connection."""

    def __init__(self) -> None:
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(10)
        self.channel = Channel(theirs)
        self._decoder = Decoder()
        self._waiting: list[Frame] = []

    def say(self, part: int, data: bytes = b"", connection: int = 0) -> None:
        self.sock.sendall(encode(part, data, connection))

    def hear(self) -> Frame | None:
        """The next frame; None once the agent has hung up."""
        while not self._waiting:
            data = self.sock.recv(65536)
            if not data:
                return None
            self._waiting = list(self._decoder.feed(data))
        return self._waiting.pop(0)

    def open_channel(self, stream: str) -> Channel:
        return self.channel


@pytest.fixture
def beside() -> Iterator[Callable[[Work], None]]:
    """Run something beside the test; it must end before the test does."""
    threads: list[threading.Thread] = []

    def start(work: Work) -> None:
        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


class Beside:
    """Jobs, as far as sessions need them."""

    def __init__(self, start: Callable[[Work], None]) -> None:
        self.beside = start


@pytest.fixture
def begun(tmp_path: Path, beside: Callable[[Work], None]) -> Callable[..., User]:
    """Ask an agent with one running pod for a session."""

    def begin(kind: str, annotations: dict[str, str] | None = None, **wanted: Any) -> User:
        world = World(tmp_path)
        asked = pod()
        asked["metadata"]["annotations"] = {
            f"simulated.beanpole.dev/{key}": value for key, value in (annotations or {}).items()
        }
        uid = world.api.put(asked)
        world.run(5.0)
        assert world.status(uid)["phase"] == "Running"
        user = User()
        records = {r.pod["metadata"]["name"]: r for r in world.agent.told.records.values()}
        jobs: Any = Beside(beside)
        sessions = Sessions(user, world.runtime, jobs, lambda _, name: records.get(name))  # type: ignore[arg-type]
        meta = asked["metadata"]
        request = {"namespace": meta.get("namespace", ""), "name": meta["name"], "uid": uid}
        container = asked["spec"]["containers"][0]["name"]
        sessions.answer({"id": "s", "kind": kind, "container": container, **request, **wanted})
        return user

    return begin


def test_a_command_is_talked_to_and_its_end_is_told(begun: Callable[..., User]) -> None:
    user = begun("exec", {"exec-exit-code": "4"}, command=["cat"], stdin=True)
    assert user.hear() == Frame(Part.BEGUN, b"")
    user.say(Part.STDIN, b"typed")
    assert user.hear() == Frame(Part.STDOUT, b"typed")
    user.say(Part.RESIZE, b"nonsense")
    user.say(Part.END)
    assert user.hear() == Frame(Part.STATUS, json.dumps({"exit": 4}, separators=(",", ":")).encode())
    user.sock.close()


def test_a_command_ends_with_its_user(begun: Callable[..., User]) -> None:
    user = begun("exec", command=["cat"], stdin=True)
    assert user.hear() == Frame(Part.BEGUN, b"")
    # The session's threads end, which the fixture waits for.
    user.sock.close()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"container": "nobody"}, 'unable to upgrade connection: container not found ("nobody")'),
        ({"name": "other"}, "is not on this node"),
        ({"uid": "other"}, "is not on this node"),
    ],
)
def test_what_is_not_there_is_refused(begun: Callable[..., User], wanted: Any, message: str) -> None:
    user = begun("exec", command=["cat"], **wanted)
    said = user.hear()
    assert said is not None
    assert said.part == Part.REFUSED
    assert message in json.loads(said.data)["message"]
    user.sock.close()


def test_a_port_where_nothing_listens_is_told_with_its_number(begun: Callable[..., User]) -> None:
    user = begun("ports")
    assert user.hear() == Frame(Part.BEGUN, b"")
    user.say(Part.OPEN, b"81", 5)
    said = user.hear()
    assert said is not None
    assert (said.part, said.connection) == (Part.CLOSED, 5)
    assert b"error forwarding port 81" in said.data
    user.sock.close()


def test_ports_of_a_pod_that_has_ended_lead_nowhere_for_its_address_may_be_anothers(
    tmp_path: Path, beside: Callable[[Work], None]
) -> None:
    world = World(tmp_path)
    uid = world.api.put(pod(restart="Never"))
    world.change()
    request = {"id": "s", "kind": "ports", "namespace": "default", "name": "web-1", "uid": uid}
    early, late = User(), User()
    jobs: Any = Beside(beside)
    for user in (early, late):
        if user is late:
            assert early.hear() == Frame(Part.BEGUN, b"")
            world.runtime.kill(uid, "web", 0)
            world.run(1)
            assert world.status(uid)["phase"] == "Succeeded"
        Sessions(user, world.runtime, jobs, world.agent.pods.find).answer(request)  # type: ignore[arg-type]
    early.say(Part.OPEN, b"80", 1)
    for user, part in ((early, Part.CLOSED), (late, Part.REFUSED)):
        said = user.hear()
        assert said is not None
        assert said.part == part
        assert b"pod web-1 is not running" in said.data
        user.sock.close()


def test_connections_are_carried_side_by_side_until_both_sides_have_ended(
    beside: Callable[[Work], None],
) -> None:
    far: dict[int, socket.socket] = {}

    def dial(port: int) -> socket.socket:
        near, far[port] = socket.socketpair()
        return near

    user = User()
    beside(lambda: ports.forward(Line(user.channel), dial))
    assert user.hear() == Frame(Part.BEGUN, b"")
    for port in (80, 81):
        user.say(Part.OPEN, str(port).encode(), port)
        user.say(Part.DATA, b"to %d" % port, port)
    for port in (80, 81):
        while port not in far:
            threading.Event().wait(0.01)
        assert far[port].recv(100) == b"to %d" % port
    far[81].sendall(b"back")
    assert user.hear() == Frame(Part.DATA, b"back", 81)
    far[81].close()
    assert user.hear() == Frame(Part.END, b"", 81)
    user.say(Part.END, b"", 81)
    assert user.hear() == Frame(Part.CLOSED, b"", 81)
    far[80].sendall(b"still here")
    assert user.hear() == Frame(Part.DATA, b"still here", 80)
    user.say(Part.CLOSED, b"", 80)
    assert far[80].recv(100) == b""
    user.sock.close()


@pytest.fixture
def forwarded(beside: Callable[[Work], None]) -> tuple[User, dict[int, socket.socket]]:
    """A user who forwards ports, and the pod's ends of the connections, by port."""
    far: dict[int, socket.socket] = {}

    def dial(port: int) -> socket.socket:
        near, far[port] = socket.socketpair()
        far[port].settimeout(10)
        return near

    user = User()

    def serve() -> None:
        line = Line(user.channel)
        with contextlib.closing(line), contextlib.suppress(HungUp):
            ports.forward(line, dial)

    beside(serve)
    assert user.hear() == Frame(Part.BEGUN, b"")
    return user, far


def test_a_connection_that_the_pod_does_not_read_ends_and_the_others_go_on(
    forwarded: tuple[User, dict[int, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT", 0.05)
    user, far = forwarded
    for port in (80, 81):
        user.say(Part.OPEN, b"%d" % port, port)
    for _ in range(40):
        user.say(Part.DATA, b"x" * (connection.AHEAD // 8), 80)
    user.say(Part.DATA, b"hello", 81)
    assert user.hear() == Frame(Part.END, b"", 80)
    assert user.hear() == Frame(Part.CLOSED, b"", 80)
    assert far[81].recv(100) == b"hello"
    user.sock.close()


def test_a_connection_alone_waits_for_its_pod_as_long_as_it_takes(
    forwarded: tuple[User, dict[int, socket.socket]],
    beside: Callable[[Work], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "WAIT", 0.01)
    user, far = forwarded
    user.say(Part.OPEN, b"80", 80)
    size = 5 * connection.AHEAD
    sent = threading.Event()

    def send() -> None:
        user.say(Part.DATA, b"x" * size, 80)
        user.say(Part.END, b"", 80)
        sent.set()

    beside(send)
    assert not sent.wait(10 * connection.PATIENCE * connection.WAIT)
    received = 0
    while data := far[80].recv(1 << 20):
        received += len(data)
    assert received == size
    user.sock.close()


def test_a_connection_that_the_pod_reads_slowly_goes_on_however_large_what_waits_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "WAIT", 0.1)
    near, far = socket.socketpair()
    far.setblocking(False)
    received = 0

    def not_alone() -> bool:
        # It is asked with each wait in vain; so much the pod takes meanwhile.
        nonlocal received
        with contextlib.suppress(BlockingIOError):
            received += len(far.recv(1 << 17))
        return False

    ended = threading.Event()
    user = User()
    slow = Connection(Line(user.channel), 1, 80, lambda _: near, ended.set, not_alone)
    slow.start()
    for _ in range(3):
        slow.put(b"x" * LONGEST)
    slow.end()
    far.setblocking(True)
    far.settimeout(10)
    while data := far.recv(1 << 20):
        received += len(data)
    assert received == 3 * LONGEST
    far.close()
    assert ended.wait(10)
    user.sock.close()


def test_many_small_pieces_for_a_pod_that_is_still_dialed_hold_up_nobody(
    beside: Callable[[Work], None],
) -> None:
    answered = threading.Event()
    far: dict[int, socket.socket] = {}

    def dial(port: int) -> socket.socket:
        if port == 80:
            answered.wait(10)
        near, far[port] = socket.socketpair()
        far[port].settimeout(10)
        return near

    user = User()
    beside(lambda: ports.forward(Line(user.channel), dial))
    assert user.hear() == Frame(Part.BEGUN, b"")
    user.say(Part.OPEN, b"80", 80)
    for _ in range(100):
        user.say(Part.DATA, b"x", 80)
    user.say(Part.OPEN, b"81", 81)
    user.say(Part.DATA, b"hello", 81)
    while 81 not in far:
        threading.Event().wait(0.01)
    assert far[81].recv(100) == b"hello"
    answered.set()
    user.sock.close()


def test_a_connection_that_is_opened_twice_ends_the_session(
    forwarded: tuple[User, dict[int, socket.socket]],
) -> None:
    user, _ = forwarded
    user.say(Part.OPEN, b"80", 7)
    user.say(Part.OPEN, b"81", 7)
    with contextlib.suppress(ConnectionError):
        while user.hear() is not None:
            continue


def test_a_command_whose_user_left_before_it_began_is_let_go(beside: Callable[[Work], None]) -> None:
    class Running:
        closed = False

        def close(self) -> None:
            self.closed = True

    user, running = User(), Running()
    user.channel.close()
    talk(Line(user.channel), running)  # type: ignore[arg-type]
    assert running.closed


def test_an_ephemeral_container_is_started_once_and_never_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = pod()
    uid = world.api.put(made)
    world.run(5.0)
    made = world.api.pods[uid]
    made["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "debug:1"}]
    world.api.put(made)
    world.change(5.0)
    (shown,) = world.status(uid)["ephemeralContainerStatuses"]
    assert (list(shown["state"]), shown["ready"], shown["restartCount"]) == (["running"], False, 0)
    world.runtime.kill(uid, "debug", 1)
    world.change(100.0)
    (shown,) = world.status(uid)["ephemeralContainerStatuses"]
    assert shown["state"]["terminated"]["exitCode"] == 1
    assert world.status(uid)["phase"] == "Running"
    assert world.runtime.pod(uid).containers[-1].attempt == 0  # type: ignore[union-attr]
