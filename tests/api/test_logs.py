"""Logs of pods: which is meant, what is said when there is none, and how it comes from the agent."""

from __future__ import annotations

import io
import threading

import pytest

from app.api import pod_logs, streams
from app.api.connection import Connection
from app.api.query import Query
from app.api.sessions import lists
from app.base.clock import SystemClock
from app.base.errors import BadRequest, Invalid, ServiceUnavailable, StoreUnavailable

PODS = "/api/v1/namespaces/default/pods"
STREAMS = "/apis/agent.beanpole.dev/v1/nodes/n1/streams"


@pytest.fixture
def pod(api):
    """A running pod `p` with containers `a` and `b`, of which only `a` has started, on node `n1`."""
    api.create("/api/v1/nodes", {"metadata": {"name": "n1"}})
    containers = [{"name": name, "image": "x"} for name in ("a", "b")]
    api.create(PODS, {"metadata": {"name": "p"}, "spec": {"containers": containers}})
    bound = api.ask(
        "POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    )
    assert bound.status_code == 201, bound.text
    status = {
        "phase": "Running",
        "containerStatuses": [
            {"name": "a", "image": "x", "imageID": "", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}},
            {"name": "b", "image": "x", "imageID": "", "ready": False, "restartCount": 0,
             "state": {"waiting": {"reason": "ContainerCreating"}}},
        ],
    }  # fmt: skip
    patched = api.ask(
        "PATCH", f"{PODS}/p/status", {"status": status}, Content_Type="application/merge-patch+json"
    )
    assert patched.status_code == 200, patched.text
    return patched.json


def take(api):
    """The one stream that the agent of `n1` is asked for, waiting until it is."""
    for _ in range(500):
        asked = api.agents.arrive({"n1": 0})[1].get("n1")
        if asked:
            (stream,) = asked
            return stream
        threading.Event().wait(0.01)
    raise AssertionError("no stream was asked for")


@pytest.fixture(params=["the same server", "another server"])
def way(request, monkeypatch):
    """Where the agent is connected: streams that nobody here awaits come through Redis."""
    if request.param == "another server":
        monkeypatch.setattr(streams, "_awaited", Forgetful())


class Forgetful(dict):
    def __setitem__(self, stream, pipe):
        pass


def test_a_log_comes_from_the_agent_of_the_pod_s_node(api, pod, way, in_background):
    asked = {}

    def agent():
        asked.update(take(api))
        answer = api.ask("POST", f"{STREAMS}/{asked['id']}", b"one\ntwo\n", token="n1-token")
        assert answer.status_code == 200, answer.text

    in_background(agent)
    answer = api.ask("GET", f"{PODS}/p/log?container=a&tailLines=2&timestamps=true")
    assert (answer.status_code, answer.text) == (200, "one\ntwo\n")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert (asked["namespace"], asked["name"], asked["container"]) == ("default", "p", "a")
    assert asked["options"] == {
        "follow": False, "previous": False, "timestamps": True, "tail": 2, "since": None, "limit_bytes": None,
    }  # fmt: skip
    assert api.nudged == ["n1"]


def test_a_log_stops_at_its_limit(api, pod, way, in_background):
    in_background(lambda: api.ask("POST", f"{STREAMS}/{take(api)['id']}", b"x" * 100, token="n1-token"))
    assert api.ask("GET", f"{PODS}/p/log?container=a&limitBytes=7").text == "x" * 7


def test_a_silent_log_is_empty_and_not_an_error(api, pod, way, in_background):
    in_background(lambda: api.ask("POST", f"{STREAMS}/{take(api)['id']}", b"", token="n1-token"))
    answer = api.ask("GET", f"{PODS}/p/log?container=a")
    assert (answer.status_code, answer.text) == (200, "")


def test_a_large_log_comes_whole(api, pod, way, in_background):
    data = bytes(range(256)) * 20_000
    in_background(lambda: api.ask("POST", f"{STREAMS}/{take(api)['id']}", data, token="n1-token"))
    assert api.ask("GET", f"{PODS}/p/log?container=a").data == data
    assert streams._awaited == {}


def test_an_agent_that_does_not_answer_is_said_to(api, pod, monkeypatch):
    monkeypatch.setattr(streams, "BEGIN", 0.1)
    monkeypatch.setattr(streams, "WAIT", 0.1)
    answer = api.ask("GET", f"{PODS}/p/log?container=a")
    assert (answer.status_code, answer.json["reason"]) == (504, "Timeout")
    assert "agent of node n1" in answer.json["message"]
    assert streams._awaited == {}


def test_an_agent_whose_reader_left_is_told_to_stop(api, pod):
    api.agents.abandon("abc")
    answer = api.ask("POST", f"{STREAMS}/abc", b"x" * 10, token="n1-token")
    assert answer.status_code == 503


def test_a_log_that_breaks_off_on_its_way_from_another_server_does_not_look_whole(api, monkeypatch):
    monkeypatch.setattr(lists, "PULSE", 0.01)
    monkeypatch.setattr(lists, "SILENCE", 0.1)
    reader = streams.Reader(api.agents, "s", None, Connection({}))
    api.agents.push_chunk("s", streams._GREETING)
    api.agents.push_chunk("s", b"half of it")
    reader.begin("n1", SystemClock())
    heard = []
    with pytest.raises(ServiceUnavailable):
        heard.extend(reader)
    assert b"".join(heard) == b"half of it"
    reader.close()


def test_an_agent_is_hung_up_on_when_redis_goes_away_amid_its_log(api, monkeypatch):
    hung_up = []
    monkeypatch.setattr(Connection, "abort", lambda self: hung_up.append(True))
    passed_on = []

    def push(stream, chunk):
        passed_on.append(chunk)
        if len(passed_on) > 2:
            raise StoreUnavailable("restarting")
        return 1

    monkeypatch.setattr(api.agents, "push_chunk", push)
    environ = {"wsgi.input": io.BytesIO(b"x" * (streams.CHUNK * 3))}
    with pytest.raises(ServiceUnavailable):
        streams.upload(api.agents, "s", environ, SystemClock())
    assert hung_up


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "a container name must be specified for pod p, choose one of: [a b]"),
        ("container=c", "container c is not valid for pod p"),
        ("container=b", 'container "b" in pod "p" is waiting to start: ContainerCreating'),
        ("container=a&previous=true", 'previous terminated container "a" in pod "p" not found'),
    ],
)
def test_a_log_that_is_not_there_is_refused_in_kubernetes_words(api, pod, query, message):
    answer = api.ask("GET", f"{PODS}/p/log?{query}")
    assert (answer.status_code, answer.json["message"]) == (400, message)


def test_a_pod_that_is_not_there_is_not_found(api):
    assert api.ask("GET", f"{PODS}/nope/log").json["message"] == 'pods "nope" not found'


def test_options_are_read_and_checked():
    read = pod_logs.options_of(Query("follow=true&sinceSeconds=10&limitBytes=5"), now=100.0)
    assert (read.follow, read.since, read.limit_bytes) == (True, 90.0, 5)
    moment = pod_logs.options_of(Query("sinceTime=1970-01-01T00:01:00Z"), now=100.0)
    assert moment.since == 60.0
    for query in (
        "tailLines=-1",
        "limitBytes=0",
        "sinceSeconds=0",
        "sinceSeconds=1&sinceTime=1970-01-01T00:01:00Z",
    ):
        with pytest.raises(Invalid):
            pod_logs.options_of(Query(query), now=100.0)
    for query in ("tailLines=x", "sinceTime=yesterday"):
        with pytest.raises(BadRequest):
            pod_logs.options_of(Query(query), now=100.0)
