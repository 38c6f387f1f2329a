"""exec and attach: a WebSocket on one side, an agent on the other."""

from __future__ import annotations

import base64
import json

import pytest
import websocket

from app.api.sessions import sessions
from app.base.frames import Part

EXEC = "/api/v1/namespaces/default/pods/p/exec"
ASKED = "?container=a&command=sh&command=-c&command=x&stdin=1&stdout=1&stderr=1"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


def ended(line, code=0):
    line.say(Part.BEGUN)
    line.say(Part.STATUS, json.dumps({"exit": code}).encode())
    assert line.hear() is None


def received(line):
    """Messages by channel, until the server closes."""
    found = {}
    while data := line.recv():
        found[data[0]] = found.get(data[0], b"") + data[1:]
    return found


@pytest.mark.parametrize("protocol", [V5, V4])
def test_input_and_output_travel_on_their_channels(served, pod, agent, protocol):
    heard = []

    def work(line):
        line.say(Part.BEGUN)
        heard.append((line.asked["kind"], line.asked["container"], line.asked["command"], line.hear()))
        line.say(Part.STDOUT, b"out")
        line.say(Part.STDERR, b"err")
        line.say(Part.STATUS, b'{"exit": 0}')
        assert line.hear() is None

    agent(work)
    client = served.connect(EXEC + ASKED, [protocol])
    assert client.getsubprotocol() == protocol
    client.send_binary(b"\x00typed")
    said = received(client)
    assert (said[1], said[2]) == (b"out", b"err")
    assert json.loads(said[3]) == {"metadata": {}, "status": "Success"}
    assert heard == [("exec", "a", ["sh", "-c", "x"], (Part.STDIN, b"typed", 0))]


def test_the_end_of_input_and_the_size_of_a_terminal_are_passed_on(served, pod, agent):
    heard = []

    def work(line):
        line.say(Part.BEGUN)
        heard.extend([line.hear(), line.hear(), line.hear()])

    agent(work)
    client = served.connect(EXEC + ASKED + "&tty=1", [V5])
    client.send_binary(b'\x04{"Width":80,"Height":24}')
    client.send_binary(b"\xff\x00")
    client.send_binary(b"\x00" + b"x" * 100_000)
    received(client)
    assert heard[0] == (Part.RESIZE, b'{"Width":80,"Height":24}', 0)
    assert heard[1] == (Part.END, b"", 0)
    assert heard[2].part == Part.STDIN


def test_how_a_command_ended_is_a_status_with_its_code(served, pod, agent):
    agent(lambda line: ended(line, 3))
    status = json.loads(received(served.connect(EXEC + ASKED, [V4]))[3])
    assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode")
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_base64_is_spoken_in_text(served, pod, agent):
    heard = []

    def work(line):
        line.say(Part.BEGUN)
        heard.append(line.hear())
        line.say(Part.STDOUT, b"out")
        line.say(Part.STATUS, b'{"exit": 0}')
        line.hear()

    agent(work)
    client = served.connect(EXEC + ASKED, ["v4.base64.channel.k8s.io"])
    client.send("0" + base64.b64encode(b"typed").decode())
    said = []
    while data := client.recv():
        said.append((data[0], base64.b64decode(data[1:])))
    assert ("1", b"out") in said
    assert heard == [(Part.STDIN, b"typed", 0)]


def test_an_agent_hears_that_its_user_left(served, pod, agent):
    gone = []

    def work(line):
        line.say(Part.BEGUN)
        gone.append(line.hear())

    agent(work)
    client = served.connect(EXEC + ASKED, [V5])
    client.sock.close()
    for _ in range(1000):
        if served.api.app.sessions.count == 0 and gone:
            break
        sessions.threading.Event().wait(0.01)
    assert gone == [None]


def test_a_client_hears_that_the_agent_vanished(served, pod, agent):
    agent(lambda line: line.say(Part.BEGUN))
    client = served.connect(EXEC + ASKED, [V5])
    received(client)
    page = served.ask("GET", "/metrics").read().decode()
    assert 'beanpole_sessions_opened_total{kind="exec"} 1.0' in page


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("?command=x&stdout=1&container=c", 400, "container c is not valid for pod p"),
        ("?command=x&stdout=1", 400, "a container name must be specified for pod p, choose one of: [a b]"),
        ("?command=x&container=a", 400, "you must specify at least 1 of stdin, stdout, stderr"),
        ("?stdout=1&container=a", 400, "you must specify at least one command for the container"),
        ("?command=x&stdout=1&container=b", 500, 'unable to upgrade connection: container not found ("b")'),
    ],
)
def test_what_can_not_be_is_refused_before_the_connection_is_switched(served, pod, query, code, message):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(EXEC + query, [V5])
    assert caught.value.status_code == code
    assert json.loads(caught.value.resp_body)["message"] == message


def test_what_the_agent_refuses_is_said_as_it_says_it(served, pod, agent):
    agent(lambda line: (line.say(Part.REFUSED, b'{"message": "no such thing"}'), line.hear()))
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(EXEC + ASKED, [V5])
    assert json.loads(caught.value.resp_body)["message"] == "no such thing"


def test_who_may_only_read_pods_may_not_run_commands_in_them(served, pod):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(EXEC + ASKED, [V5], token="joe-token")
    assert caught.value.status_code == 403
    assert "pods/exec" in json.loads(caught.value.resp_body)["message"]


def test_an_agent_that_does_not_come_is_said_to(served, pod, monkeypatch):
    monkeypatch.setattr(sessions, "BEGIN", 0.1)
    monkeypatch.setattr(sessions, "WAIT", 0.1)
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(EXEC + ASKED, [V5])
    assert caught.value.status_code == 504
    assert "agent of node n1" in json.loads(caught.value.resp_body)["message"]


def test_too_many_sessions_are_told_to_come_back(served, pod, monkeypatch):
    monkeypatch.setattr(sessions, "MOST", 0)
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(EXEC + ASKED, [V5])
    assert caught.value.status_code == 429


def test_a_request_that_is_no_websocket_is_told_so(served, pod):
    answer = served.ask("POST", EXEC + ASKED)
    assert (answer.status, json.load(answer)["reason"]) == (400, "BadRequest")


def test_an_unknown_subprotocol_is_refused(served, pod):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(EXEC + ASKED, ["v9.channel.k8s.io"])
    assert caught.value.status_code == 403


def test_an_agent_of_another_node_can_not_answer(served, pod):
    answer = served.ask(
        "GET", "/apis/agent.beanpole.dev/v1/nodes/n2/streams/abc", Upgrade="beanpole-frames",
        Connection="Upgrade", Authorization="Bearer n1-token",
    )  # fmt: skip
    assert answer.status == 403


def test_attach_needs_no_command(served, pod, agent):
    def work(line):
        assert line.asked["kind"] == "attach"
        line.say(Part.BEGUN)
        line.say(Part.STDOUT, b"said")
        line.say(Part.STATUS, b'{"exit": null}')
        line.hear()

    agent(work)
    said = received(served.connect(EXEC.replace("exec", "attach") + "?container=a&stdout=1", [V5]))
    assert said[1] == b"said"
    assert json.loads(said[3])["status"] == "Success"
