"""Commands to Redis: answers belong to their commands, whatever breaks off or restarts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError, TimeoutError

from app.store import wire as wires
from app.store.wire import Wire


def wire_to(url: str, **options: object) -> Wire:
    return Wire(Redis.from_url(url, **options).connection_pool)


@pytest.fixture
def wire(redis_url: str) -> Iterator[Wire]:
    wire = wire_to(redis_url)
    yield wire
    wire.close()


def test_answers_come_in_the_order_of_the_commands_and_refusals_in_their_place(
    wire: Wire, cluster: str
) -> None:
    set_, refused, got = wire.pipeline(
        [("SET", cluster, b"1\x00\xff"), ("HGET", cluster, "x"), ("GET", cluster)]
    )
    assert (set_, got) == (b"OK", b"1\x00\xff")
    assert isinstance(refused, ResponseError)
    with pytest.raises(ResponseError):
        wire.together(("GET", cluster), ("HGET", cluster, "x"))
    assert wire.call("GET", cluster) == b"1\x00\xff"


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_ones(redis_url: str, cluster: str) -> None:
    wire = wire_to(redis_url, socket_timeout=0.1)
    other = wire_to(redis_url)
    with pytest.raises(TimeoutError):
        wire.call("BLPOP", cluster, 0)
    other.call("RPUSH", cluster, "late")
    assert wire.call("ECHO", "mine") == b"mine"


@pytest.mark.parametrize("tcp", [False, True])
def test_a_restart_between_two_calls_goes_unnoticed(own_valkey, tcp: bool) -> None:
    url = own_valkey.url
    if tcp:
        port = _free_port()
        url = f"redis://127.0.0.1:{port}"
    local = Redis.from_url(own_valkey.url)

    def listen() -> None:
        if tcp:
            local.config_set("port", port)

    listen()
    wire = wire_to(url)
    with ThreadPoolExecutor(4) as pool:  # several connections, all of which die
        list(pool.map(lambda n: wire.call("SET", f"k{n}", n), range(50)))
    own_valkey.kill()
    with pytest.raises(RedisError):
        wire.call("GET", "k1")
    own_valkey.start()
    listen()
    assert wire.call("GET", "k1") == b"1"
    own_valkey.kill()
    own_valkey.start()
    listen()
    assert wire.pipeline([("SET", "a", 1), ("GET", "a")]) == [b"OK", b"1"]


def test_a_password_is_sent(own_valkey) -> None:
    Redis.from_url(own_valkey.url).config_set("requirepass", "hunter2")
    assert wire_to(own_valkey.url.replace("unix://", "unix://:hunter2@")).call("PING") == b"PONG"
    with pytest.raises(AuthenticationError):
        wire_to(own_valkey.url).call("PING")


def test_more_callers_than_connections_wait_for_each_other(
    redis_url: str, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "CONNECTIONS", 3)
    wire = wire_to(redis_url)
    wire.call("CLIENT", "SETNAME", cluster)
    before = wire.call("INFO", "clients")
    with ThreadPoolExecutor(30) as pool:
        said = list(pool.map(lambda n: wire.call("ECHO", n), range(600)))
    assert said == [str(n).encode() for n in range(600)]
    assert _connected(wire.call("INFO", "clients")) - _connected(before) <= 2


def test_a_forked_child_does_not_talk_on_its_parents_connections(wire: Wire, cluster: str) -> None:
    mine = wire.call("CLIENT", "ID")
    child = os.fork()
    if child == 0:
        os._exit(0 if wire.call("CLIENT", "ID") != mine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert wire.call("CLIENT", "ID") == mine


def test_greenlets_that_are_killed_amid_a_call_mix_nothing_up(redis_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _GREENLETS, redis_url], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("500 right\n", "")


_GREENLETS = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from redis import Redis
from app.store.wire import Wire

wire = Wire(Redis.from_url(sys.argv[1]).connection_pool)
right = []

def ask(n):
    if n % 3 == 0:
        with gevent.Timeout(0.001 * (n % 5), False):
            wire.pipeline([("ECHO", f"slow-{n}"), ("BLPOP", "nothing", 0.02)])
    if wire.call("ECHO", n) == str(n).encode():
        right.append(n)

gevent.joinall([gevent.spawn(ask, n) for n in range(500)], raise_error=True)
print(len(right), "right")
"""


def _connected(info: bytes) -> int:
    line = next(line for line in info.splitlines() if line.startswith(b"connected_clients:"))
    return int(line.partition(b":")[2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
