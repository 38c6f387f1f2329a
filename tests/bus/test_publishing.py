"""Publishing to a broker that may be away."""

from __future__ import annotations

import base64

import orjson
import pytest
from kombu.exceptions import OperationalError

from app.base.settings import Settings
from app.bus.celery_app import make_app
from app.bus.publishing import CeleryPublisher


@pytest.fixture
def app(redis_url, cluster):
    return make_app(Settings(redis_url=redis_url, cluster=cluster))


@pytest.fixture
def waiting(store):
    """The arguments of the messages that wait in a queue, oldest first, and the messages themselves."""

    def waiting(queue: str) -> list[tuple]:
        raw = store.redis.lrange(store.key(f"bus:{queue}"), 0, -1)
        bodies = [orjson.loads(message)["body"] for message in reversed(raw)]
        return [tuple(orjson.loads(base64.b64decode(body))[0]) for body in bodies]

    return waiting


def test_work_becomes_one_message_for_each_role(app, waiting):
    CeleryPublisher(app).publish([("a", "x"), ("b", "x"), ("a", "y")])
    assert waiting("work") == [("a", ["x", "y"]), ("b", ["x"])]


def test_a_nudge_lies_in_its_agents_queue(app, waiting):
    CeleryPublisher(app).nudge({"n1": ["n1"], "machine": ["a", "b"]})
    assert waiting("node.n1") == [(["n1"],)]
    assert waiting("node.machine") == [(["a", "b"],)]


def test_what_could_not_be_sent_is_sent_once_the_broker_is_there_again(app, waiting, monkeypatch):
    publisher = CeleryPublisher(app)

    def gone(*_, **__):
        raise OperationalError("gone")

    monkeypatch.setattr(app, "send_task", gone)
    with pytest.raises(OperationalError):
        publisher.publish([("a", "x")])
    monkeypatch.undo()
    publisher.publish([])
    assert waiting("work") == [("a", ["x"])]
    publisher.publish([])
    assert len(waiting("work")) == 1
