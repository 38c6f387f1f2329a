"""SPDY frames, and what port-forward makes of them."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.sessions.spdy import frames as spdy
from app.api.sessions.spdy.dictionary import DICTIONARY
from app.api.sessions.tunnel import HALF_OPEN, Tunnel
from app.base.frames import Frame, Part

NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
STREAMS = st.integers(1, 2**31 - 1)
OPENED = st.builds(spdy.Opened, STREAMS, st.dictionaries(NAMES, VALUES, max_size=4), st.booleans())
DATA = st.builds(spdy.Data, STREAMS, st.binary(min_size=1, max_size=50), st.booleans())
RESET, PINGED = st.builds(spdy.Reset, STREAMS), st.builds(spdy.Pinged, STREAMS)


def encoded(encoder: spdy.Encoder, event: spdy.Event) -> bytes:
    if isinstance(event, spdy.Opened):
        return encoder.open(event.stream, event.headers, fin=event.fin)
    if isinstance(event, spdy.Data):
        return spdy.data(event.stream, event.data, fin=event.fin)
    if isinstance(event, spdy.Reset):
        return spdy.reset(event.stream, spdy.CANCEL)
    assert isinstance(event, spdy.Pinged)
    return spdy.ping(event.number)


def test_the_dictionary_is_the_one_of_the_protocol() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


@given(st.lists(st.one_of(OPENED, DATA, RESET, PINGED), max_size=12))
def test_events_come_out_as_they_went_in(events: list[spdy.Event]) -> None:
    encoder = spdy.Encoder()
    sent = b"".join(encoded(encoder, event) for event in events)
    assert list(spdy.Decoder().feed(sent)) == events


@given(st.lists(DATA, max_size=6), st.integers(1, 20))
def test_data_is_handed_on_as_it_comes_and_ends_once(events: list[spdy.Data], step: int) -> None:
    sent = b"".join(encoded(spdy.Encoder(), event) for event in events)
    decoder = spdy.Decoder()
    found = [e for at in range(0, len(sent), step) for e in decoder.feed(sent[at : at + step])]
    assert b"".join(e.data for e in found if isinstance(e, spdy.Data)) == b"".join(e.data for e in events)
    assert sum(e.fin for e in found if isinstance(e, spdy.Data)) == sum(e.fin for e in events)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_malformed(data: bytes) -> None:
    try:
        list(spdy.Decoder().feed(data))
    except spdy.Malformed:
        return


def test_a_block_of_headers_that_unpacks_without_end_is_refused() -> None:
    encoder = spdy.Encoder()
    bomb = encoder.open(1, {"port": "0" * (spdy.BLOCK_MAX + 1)})
    with pytest.raises(spdy.Malformed):
        list(spdy.Decoder().feed(bomb))


class Client:
    """A client of a tunnel: what was sent to it, and to the agent."""

    def __init__(self) -> None:
        self.encoder = spdy.Encoder()
        self.agent: list[Frame] = []
        self.sent = b""
        self.tunnel = Tunnel(
            lambda part, data, number: self.agent.append(Frame(part, data, number)), self.keep
        )

    def keep(self, data: bytes) -> None:
        self.sent += data

    def open(self, port: str = "80", errors: int = 1, data: int = 3, **more: str) -> None:
        for number, kind in ((errors, "error"), (data, "data")):
            self.tunnel.take(self.encoder.open(number, {"streamtype": kind, "port": port, **more}))

    def told(self) -> list[spdy.Event]:
        sent, self.sent = self.sent, b""
        return list(spdy.Decoder().feed(sent))


def test_a_pair_of_streams_is_a_connection_both_ways() -> None:
    client = Client()
    client.open("8080", requestid="0")
    assert client.agent == [Frame(Part.OPEN, b"8080", 3)]
    client.tunnel.take(spdy.data(3, b"hello", fin=True))
    assert client.agent[1:] == [Frame(Part.DATA, b"hello", 3), Frame(Part.END, b"", 3)]
    client.told()
    for frame in (Frame(Part.DATA, b"bye", 3), Frame(Part.END, b"", 3), Frame(Part.CLOSED, b"", 3)):
        client.tunnel.tell(frame)
    assert client.told() == [spdy.Data(3, b"bye", False), spdy.Data(3, b"", True), spdy.Data(1, b"", True)]


def test_streams_without_a_request_id_are_paired_by_their_numbers() -> None:
    client = Client()
    client.open(errors=5, data=7)
    assert client.agent == [Frame(Part.OPEN, b"80", 7)]


def test_why_a_port_could_not_be_reached_is_said_on_the_error_stream() -> None:
    client = Client()
    client.open()
    client.told()
    client.tunnel.tell(Frame(Part.CLOSED, b"refused", 3))
    assert client.told() == [spdy.Data(1, b"refused", True), spdy.Data(3, b"", True)]


def test_a_stream_that_is_given_up_ends_its_connection() -> None:
    client = Client()
    client.open()
    client.tunnel.take(spdy.reset(3, spdy.CANCEL))
    assert client.agent[-1] == Frame(Part.CLOSED, b"", 3)


@pytest.mark.parametrize("port", ["", "0", "65536", "http", "-1", "8o"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    client = Client()
    client.open(port)
    assert client.told() == [spdy.Reset(1), spdy.Reset(3)]
    assert client.agent == []


def test_a_ping_comes_back() -> None:
    client = Client()
    client.tunnel.take(spdy.ping(7))
    assert client.told() == [spdy.Pinged(7)]


def test_connections_without_their_second_stream_do_not_heap_up() -> None:
    sent: list[bytes] = []
    tunnel = Tunnel(lambda part, data, connection: None, sent.append)
    encoder = spdy.Encoder()

    def half(number: int) -> bytes:
        headers = {"streamtype": "error", "port": "80", "requestid": str(number)}
        return encoder.open(2 * number + 1, headers)

    for number in range(HALF_OPEN):
        tunnel.take(half(number))
    with pytest.raises(spdy.Malformed):
        tunnel.take(half(HALF_OPEN))
