"""A real Celery worker process on a real Valkey: from a commit to the plan's own commit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.bus.work import Work
from app.objects.change import Trace, Verb, Write
from app.store.store import Store
from app.store.view import View
from app.store.work import WorkLedger

HERE = Path(__file__).parent
PATIENCE = 30.0


class Worker:
    """The control worker of `toy_worker.py`, as a process."""

    def __init__(self, url: str, cluster: str) -> None:
        self._environ = {
            **os.environ, "BEANPOLE_REDIS_URL": url, "BEANPOLE_CLUSTER": cluster, "BEANPOLE_LEASE": "2",
            "PYTHONPATH": os.pathsep.join((str(HERE.parent.parent), str(HERE))),
        }  # fmt: skip
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by the fixture

    def start(self, name: str = "control") -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "celery", "--quiet", "--app", "toy_worker", "worker", "--pool", "solo", "--queues", "work",
                "--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"{name}@test",
                "--loglevel", "WARNING",
            ],
            env=self._environ, stdout=self.output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def end(self, how: int) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read()


@pytest.fixture
def worker(redis_url: str, cluster: str) -> Iterator[Worker]:
    worker = Worker(redis_url, cluster)
    yield worker
    if worker.process.poll() is None:
        worker.end(signal.SIGKILL)
    worker.output.close()


@pytest.fixture
def until(store: Store, worker: Worker) -> Callable[..., View]:
    """Follow the log until something holds."""
    view = View(store)
    view.catch_up()

    def until(holds: Callable[[View], object]) -> View:
        end = time.monotonic() + PATIENCE
        while not holds(view):
            assert time.monotonic() < end, worker.said()
            view.wait(0.2)
            view.catch_up()
        return view

    return until


def configmap(name: str, text: str) -> dict:
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"text": text},
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
    }  # fmt: skip


def echo(view: View, name: str) -> str | None:
    obj = view.get("configmaps", f"default/{name}")
    return ((obj or {"metadata": {}})["metadata"].get("annotations") or {}).get("echo")


def test_a_change_is_acted_upon_and_an_event_tells_of_it(worker, put, until):
    worker.start()
    put("configmaps", configmap("x", "hello"))
    view = until(lambda view: echo(view, "x") == "hello" and view.keys("events"))
    [event] = view.list("events")
    assert (event["reason"], event["message"], event["source"]) == (
        "Echoed",
        "said hello",
        {"component": "echo"},
    )
    assert event["involvedObject"]["uid"] == "uid-x"


def test_what_a_plan_writes_carries_the_trace_of_its_cause(worker, put, until):
    worker.start()
    put("configmaps", configmap("warm", "up"))
    until(lambda view: echo(view, "warm"))
    cause = put("configmaps", configmap("x", "hello"), Trace("t2")).revision
    view = until(lambda view: echo(view, "x") == "hello")
    made = next(c for c in view.changes_since(cause) if c.key == "default/x" and c.revision > cause)
    assert (made.actor, made.trace.id, made.trace.cause) == ("echo", "t2", cause)


def test_a_worker_killed_at_work_loses_nothing(worker, put, until):
    names = [f"c{n}" for n in range(150)]
    worker.start()
    for name in names:
        put("configmaps", configmap(name, "a"))
    until(lambda view: any(echo(view, name) for name in names))
    worker.end(signal.SIGKILL)
    put("configmaps", configmap("late", "b"))
    worker.start()
    until(lambda view: echo(view, "late") == "b" and all(echo(view, name) == "a" for name in names))


def test_a_second_worker_takes_over_from_one_that_dies(worker, put, until, redis_url, cluster, ledger):
    names = [f"c{n}" for n in range(150)]
    other = Worker(redis_url, cluster)
    worker.start("one")
    other.start("two")
    try:
        for name in names:
            put("configmaps", configmap(name, "a"))
        until(lambda view: any(echo(view, name) for name in names))
        worker.end(signal.SIGKILL)
        until(lambda view: all(echo(view, name) == "a" for name in names))
    finally:
        other.end(signal.SIGKILL)
        other.output.close()


def test_work_whose_message_the_broker_lost_is_still_done(worker, put, until, store, ledger):
    worker.start()
    put("configmaps", configmap("x", "1"))
    until(lambda view: echo(view, "x") == "1")
    worker.end(signal.SIGTERM)
    # As if a dispatcher had queued it, and the broker then lost the message.
    put("configmaps", configmap("y", "2"))
    assert ledger.enqueue([Work("echo", "default/y")], time.time()) == [("echo", "default/y")]
    worker.start("another")
    until(lambda view: echo(view, "y") == "2")


def test_a_failing_key_is_counted_told_and_tried_again_until_it_succeeds(
    worker, put, until, store, ledger: WorkLedger
):
    worker.start()
    put("configmaps", configmap("x", "fail"))
    view = until(lambda view: any(int(e["count"]) >= 2 for e in view.list("events")))
    [event] = view.list("events")
    assert (event["type"], event["reason"]) == ("Warning", "FailedReconcile")
    assert "told to fail" in event["message"]
    assert ledger.failures()["echo", "default/x"] >= 2
    put("configmaps", configmap("x", "fine"))
    until(lambda view: echo(view, "x") == "fine")
    until(lambda view: not ledger.failures())


def test_a_worker_that_is_asked_to_stops_and_leaves_nothing_behind(worker, put, until, store):
    worker.start()
    put("configmaps", configmap("x", "1"))
    until(lambda view: echo(view, "x") == "1")
    assert worker.end(signal.SIGTERM) == 0
    assert store.redis.xinfo_consumers(store.keys.log, "dispatch") == []


def test_a_worker_outlives_its_redis(own_valkey, cluster):
    worker = Worker(own_valkey.url, cluster)
    worker.start()
    try:
        store = Store.connect(own_valkey.url, cluster)

        def create(name: str) -> None:
            write = Write(Verb.CREATE, "configmaps", f"default/{name}", configmap(name, "a"))
            store.commit([write], actor="test", trace=Trace("t"), now=1.0)

        def echoed(name: str) -> bool:
            stored = store.get("configmaps", f"default/{name}")
            return stored is not None and b'"echo"' in stored.body

        def until(name: str) -> None:
            end = time.monotonic() + PATIENCE
            while not echoed(name):
                assert time.monotonic() < end, worker.said()
                store.redis.xread({store.keys.log: "$"}, block=100)

        create("x")
        until("x")
        own_valkey.kill()
        own_valkey.start()
        create("y")
        until("y")
    finally:
        worker.end(signal.SIGKILL)
        worker.output.close()
