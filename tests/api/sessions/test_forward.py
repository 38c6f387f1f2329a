"""Port-forward and proxy: connections to a pod's ports."""

from __future__ import annotations

import errno
import json
import socket
import threading

import pytest
import websocket

from app.api.connection import Connection
from app.api.sessions import backends, forward
from app.api.sessions.proxy import Exchange
from app.api.sessions.spdy import frames as spdy
from app.base.errors import BadRequest, ServiceUnavailable
from app.base.frames import Part

FORWARD = "/api/v1/namespaces/default/pods/p/portforward"
PROXY = "/api/v1/namespaces/default/pods/p:8080/proxy"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def echo(line):
    """An agent whose ports repeat what they are told, in capitals."""
    line.say(Part.BEGUN)
    while frame := line.hear():
        if frame.part == Part.OPEN and frame.data == b"81":
            line.say(Part.CLOSED, b"connection refused", frame.connection)
        elif frame.part == Part.DATA:
            line.say(Part.DATA, frame.data.upper(), frame.connection)
        elif frame.part == Part.END:
            line.say(Part.CLOSED, b"", frame.connection)


@pytest.mark.parametrize("protocols", [["v4.channel.k8s.io"], None])
def test_each_port_has_a_channel_for_data_and_one_for_errors(served, pod, agent, protocols):
    agent(echo)
    client = served.connect(FORWARD + "?ports=8080,81", protocols)
    begun = [client.recv() for _ in range(4)]
    assert begun == [
        bytes((number,)) + port.to_bytes(2, "little") for number, port in enumerate((8080, 8080, 81, 81))
    ]
    client.send_binary(b"\x00hello")
    assert sorted(client.recv() for _ in range(2)) == [b"\x00HELLO", b"\x03connection refused"]
    client.close()


def test_kubectl_speaks_spdy_through_the_websocket(served, pod, agent):
    agent(echo)
    client = served.connect(FORWARD, ["SPDY/3.1+portforward.k8s.io"])
    encoder, decoder, told = spdy.Encoder(), spdy.Decoder(), []
    for number, kind in ((1, "error"), (3, "data")):
        client.send_binary(encoder.open(number, {"streamtype": kind, "port": "8080", "requestid": "0"}))
    client.send_binary(spdy.data(3, b"hello") + spdy.data(3, b"", fin=True))
    while spdy.Data(3, b"", True) not in told:
        told += decoder.feed(client.recv())
    assert [event for event in told if isinstance(event, spdy.Data)] == [
        spdy.Data(3, b"HELLO", False), spdy.Data(1, b"", True), spdy.Data(3, b"", True),
    ]  # fmt: skip
    client.close()


@pytest.mark.parametrize("query", ["", "?ports=0", "?ports=x", "?ports=" + ",".join(["80"] * 200)])
def test_ports_that_are_none_are_refused(served, pod, query):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        served.connect(FORWARD + query, ["v4.channel.k8s.io"])
    assert caught.value.status_code == 400


def answering(*pieces, heard=None):
    """An agent whose port answers a request with these pieces."""

    def work(line):
        line.say(Part.BEGUN)
        opened, request = line.hear(), b""
        while b"\r\n\r\n" not in request or (b"chunked" in request and not request.endswith(b"0\r\n\r\n")):
            request += line.hear().data
        if heard is not None:
            heard.append((opened.data, request))
        for piece in pieces:
            line.say(Part.DATA, piece)
        line.say(Part.CLOSED)
        line.hear()

    return work


def test_a_request_goes_to_the_pod_as_it_came_and_its_answer_comes_back(served, pod, agent):
    heard = []
    agent(answering(HTTP + b"Content-Length: 5\r\n\r\n", b"he", b"llo", heard=heard))
    answer = served.ask("GET", PROXY + "/a%20b//c%2Fd?x=1&dryRun=no", Accept="text/x", Cookie="a=b")
    assert (answer.status, answer.headers["Content-Type"], answer.read()) == (200, "text/plain", b"hello")
    port, request = heard[0]
    lines = request.decode().split("\r\n")
    assert port == b"8080"
    assert lines[0] == "GET /a%20b//c/d?x=1&dryRun=no HTTP/1.1"
    assert {"Host: 10.1.2.3:8080", "Accept: text/x", "Cookie: a=b", "X-Forwarded-For: 192.0.2.1"} <= set(
        lines
    )
    assert not any(line.lower().startswith("authorization") for line in lines)


def test_a_body_is_passed_on(served, pod, agent):
    heard = []
    agent(answering(HTTP + b"Content-Length: 0\r\n\r\n", heard=heard))
    answer = served.ask("POST", PROXY + "/", b"data", Content_Type="x/y")
    assert answer.status == 200
    assert b"POST / HTTP/1.1" in heard[0][1]


def test_a_redirect_to_the_pod_leads_through_the_proxy(served, pod, agent):
    agent(answering(b"HTTP/1.1 302 Found\r\nLocation: /login?a=b\r\nContent-Length: 0\r\n\r\n"))
    answer = served.ask("GET", PROXY + "/")
    assert (answer.status, answer.headers["Location"]) == (302, PROXY + "/login?a=b")


def test_a_redirect_to_elsewhere_stays_as_it_is(served, pod, agent):
    agent(answering(b"HTTP/1.1 302 Found\r\nLocation: https://example.com/x\r\nContent-Length: 0\r\n\r\n"))
    assert served.ask("GET", PROXY + "/").headers["Location"] == "https://example.com/x"


def test_without_a_slash_a_client_is_sent_to_the_directory(served, pod):
    answer = served.ask("GET", PROXY + "?a=b")
    assert (answer.status, answer.headers["Location"]) == (301, PROXY + "/?a=b")


def test_a_websocket_of_the_pod_is_passed_through(served, pod, agent):
    def work(line):
        line.say(Part.BEGUN)
        line.hear()
        request = line.hear().data
        assert b"Upgrade: websocket" in request or b"Upgrade: WebSocket" in request
        key = next(x for x in request.split(b"\r\n") if x.lower().startswith(b"sec-websocket-key")).split(
            b" "
        )[1]
        accept = websocket._handshake.base64encode(
            websocket._handshake.hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        )
        line.say(
            Part.DATA,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.strip() + b"\r\n\r\n\x82\x02hi",
        )
        line.hear()

    agent(work)
    client = served.connect(PROXY + "/ws")
    assert client.recv() == b"hi"
    client.close()


def test_a_port_where_nothing_listens_is_unavailable(served, pod, agent):
    agent(lambda line: (line.say(Part.BEGUN), line.say(Part.CLOSED, b"connection refused"), line.hear()))
    answer = served.ask("GET", PROXY + "/")
    assert answer.status == 503
    assert json.load(answer)["message"] == "error trying to reach service: connection refused"


def test_what_is_no_http_is_unavailable(served, pod, agent):
    agent(answering(b"SSH-2.0-x\r\n\r\n"))
    assert served.ask("GET", PROXY + "/").status == 503


def test_a_service_leads_to_a_pod_that_is_ready(served, api, pod, agent):
    ports = [{"name": "web", "port": 80, "targetPort": 8080}]
    api.create("/api/v1/namespaces/default/services", {"metadata": {"name": "s"}, "spec": {"ports": ports}})
    for name in ("s:web", "s:80", "http:s:web"):
        refused = served.ask("GET", f"/api/v1/namespaces/default/services/{name}/proxy/")
        assert refused.status == 503
        assert json.load(refused)["message"] == 'no endpoints available for service "s"'
    ready = {"addresses": ["10.1.2.3"], "targetRef": {"kind": "Pod", "name": "p", "namespace": "default"}}
    api.create(
        SLICES,
        {
            "metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}},
            "addressType": "IPv4", "ports": [{"name": "web", "port": 8080}], "endpoints": [ready],
        },
    )  # fmt: skip
    agent(answering(HTTP + b"Content-Length: 2\r\n\r\nok"))
    assert served.ask("GET", "/api/v1/namespaces/default/services/s:80/proxy/").read() == b"ok"


def test_of_a_node_only_its_health_can_be_asked(served, pod):
    assert served.ask("GET", "/api/v1/nodes/n1/proxy/healthz").status == 500
    answer = served.ask("GET", "/api/v1/nodes/n1/proxy/metrics")
    assert (answer.status, json.load(answer)["reason"]) == (501, "NotImplemented")


def test_a_name_may_carry_a_scheme_and_a_port():
    assert backends.split("pod", "p") == backends.Named("http", "p", "")
    assert backends.split("pod", "p:1") == backends.Named("http", "p", "1")
    assert backends.split("pod", "https:p:") == backends.Named("https", "p", "")
    for wrong in ("ftp:p:1", "http:p:1:2", ":1"):
        with pytest.raises(BadRequest):
            backends.split("pod", wrong)


def test_a_service_has_no_port_that_it_does_not_name():
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    with pytest.raises(ServiceUnavailable, match='no service port 81 found for service "s"'):
        backends.of_service(service, [], backends.Named("http", "s", "81"))


def test_a_session_ends_with_a_client_that_left_while_it_was_answered():
    """What it asked for is answered by whoever reads what it says: there it is noticed that it has left."""
    over, noticed = threading.Event(), []

    class Line:
        def messages(self, begun):
            yield b"asks for a stream", True, True

        def close(self):
            return

    class Session:
        def frames(self):
            noticed.append(over.wait(5))
            return iter(())

        def close(self):
            over.set()

    def inward(piece, first, last):
        raise BrokenPipeError("the client left")

    near, far = socket.socketpair()
    with near, far:
        forward._both_ways(near, Line(), Session(), lambda: None, inward, lambda frame: False, b"")
        assert noticed == [True]
        assert far.recv(1) == b""


def test_an_answer_that_a_client_has_left_is_no_fault_for_the_log():
    class Pod:
        said = [HTTP + b"Content-Length: 100\r\n\r\nso far", b""]

        def send(self, data):
            return

        def receive(self):
            return self.said.pop(0)

        def close(self):
            return

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_PROTOCOL": "HTTP/1.1"}
    body = iter(Exchange(Pod(), "pod", "").answer(environ, "/").body)
    with pytest.raises(ConnectionResetError) as broke:
        list(body)
    assert broke.value.errno == errno.ECONNRESET


def test_a_pod_that_says_nothing_is_left_when_the_client_leaves(served, pod, agent, monkeypatch):
    left, hung_up = threading.Event(), threading.Event()

    def on_hangup(self, call):
        threading.Thread(target=lambda: hung_up.wait(10) and call(), daemon=True).start()

    def silent(line):
        line.say(Part.BEGUN)
        line.hear()
        line.hear()
        line.say(Part.DATA, HTTP + b"\r\nso far")
        hung_up.set()
        if line.hear() is None:
            left.set()

    monkeypatch.setattr(Connection, "on_hangup", on_hangup)
    agent(silent)
    assert served.ask("GET", PROXY + "/").read() == b"so far"
    assert left.wait(10)
