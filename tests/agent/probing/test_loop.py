"""The probes' own thread: nobody waits for anybody, and nothing is left behind."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator

import pytest

from app.base.clock import SystemClock
from tests.agent.probing.conftest import NoRuntime, Server, Trial, attempt
from workers.agent.probing import MachineProber, Outcome
from workers.agent.probing.loop import Loop
from workers.agent.probing.talk import PIECE, READ, receive
from workers.agent.probing.threads import Threads


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop(SystemClock(), Threads("test"))
    yield made
    made.close()


def test_jobs_come_in_the_order_of_their_time_and_the_earlier_time_stands(loop: Loop) -> None:
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    loop.after("late", 0.06, lambda: came.put("late"))
    loop.after("soon", 60, lambda: came.put("never"))
    loop.after("soon", 0.03, lambda: came.put("soon"))
    loop.after("soon", 60, lambda: came.put("never"))
    loop.after("gone", 0.01, lambda: came.put("gone"))
    loop.cancel("gone")
    loop.after("bad", 0.0, lambda: came.put(str(1 / 0)))
    assert [came.get(timeout=5), came.get(timeout=5)] == ["soon", "late"]
    assert came.empty()


def test_a_server_that_says_nothing_holds_up_nobody(trial: Trial, server: Server) -> None:
    """300 hang, on one thread, while one after another succeeds."""
    late: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent:
        port = silent.getsockname()[1]
        for _ in range(300):
            trial.prober.probe(attempt({"httpGet": {"port": port}}, timeout=60), late.put)
        for _ in range(20):
            assert trial({"httpGet": {"port": server.port}}).ok
        assert late.empty()


def test_others_have_their_turn_before_anything_is_read() -> None:
    """Or a server that never stops talking would keep the thread for good."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(b"x" * 4 * PIECE)
        talk = receive(ours)
        assert next(talk) == (ours, READ)
        with pytest.raises(StopIteration) as end:
            next(talk)
        assert len(end.value.value) == PIECE


@pytest.mark.parametrize(
    ("head", "more", "why"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", "awaiting headers"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", "header line too long"),
    ],
)
def test_a_server_that_never_stops_talking_holds_up_nobody(
    trial: Trial, server: Server, head: bytes, more: bytes, why: str
) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as endless:

        def talk() -> None:
            line, _ = endless.accept()
            with line, contextlib.suppress(OSError):
                line.sendall(head)
                while not over.is_set():
                    line.sendall(more * 5000)

        threading.Thread(target=talk, daemon=True).start()
        late: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        trial.prober.probe(attempt({"httpGet": {"port": endless.getsockname()[1]}}, timeout=1.0), late.put)
        for _ in range(3):
            assert trial({"httpGet": {"port": server.port}}).ok
        outcome = late.get(timeout=10)
        over.set()
        assert not outcome.ok
        assert why in outcome.message


def test_a_hanging_command_holds_up_no_other() -> None:
    go_on, began = threading.Event(), threading.Semaphore(0)

    def run(command: list[str], timeout: float) -> tuple[int, bytes]:
        if command == ["hang"]:
            began.release()
            go_on.wait(10)
        return 0, b""

    trial = Trial()
    trial.runtime._exec = run
    came: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    for _ in range(50):
        trial.prober.probe(attempt({"exec": {"command": ["hang"]}}), came.put)
    for _ in range(50):
        assert began.acquire(timeout=5)
    assert trial({"exec": {"command": ["true"]}}).ok
    assert came.empty()
    go_on.set()
    for _ in range(50):
        assert came.get(timeout=5).ok
    trial.prober.close()


def test_a_talk_that_fails_by_surprise_is_an_unknown_outcome_and_the_next_goes_on(loop: Loop) -> None:
    came: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    def bad() -> Iterator[tuple[socket.socket, int]]:
        raise LookupError("a bug")
        yield

    def good() -> Iterator[tuple[socket.socket, int]]:
        return Outcome(True)
        yield

    def angry(outcome: Outcome) -> None:
        came.put(outcome)
        raise LookupError("a bug")

    loop.begin(bad(), 1.0, angry)  # type: ignore[arg-type]
    assert came.get(timeout=5) == Outcome(False, "a bug", unknown=True)
    loop.begin(good(), 1.0, came.put)  # type: ignore[arg-type]
    assert came.get(timeout=5).ok


def test_what_is_closed_has_no_thread_and_no_socket(server: Server) -> None:
    before = threading.active_count()
    prober = MachineProber(NoRuntime())  # type: ignore[arg-type]
    came: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    prober.probe(attempt({"httpGet": {"port": server.port, "path": "/slow"}}, timeout=60), came.put)
    thread = next(t for t in threading.enumerate() if t.name == "agent-probes")
    prober.close()
    thread.join(5)
    assert not thread.is_alive()
    assert threading.active_count() <= before + 1
    assert came.empty()
    prober.probe(attempt({"httpGet": {"port": server.port}}), came.put)
    assert not any(t.name == "agent-probes" for t in threading.enumerate())


def test_threads_are_used_again() -> None:
    threads, names = Threads("again"), queue.SimpleQueue[int]()
    for _ in range(20):
        threads.run(lambda: names.put(threading.get_ident()))
        names.get(timeout=5)
        idle = threading.Event()
        while not threads._idle:
            idle.wait(0.001)
    assert sum(thread.name == "again" for thread in threading.enumerate()) == 1
