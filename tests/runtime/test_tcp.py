"""Counting connections out of the kernel's tables."""

from __future__ import annotations

import sys

import pytest

from workers.runtime import tcp

HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
POD, OTHER = "127.128.0.5", "127.0.0.1"


def line(local: bytes, port: int, remote: bytes, state: bytes) -> bytes:
    return b"   0: %s:%04X %s:%04X %s 00000000:00000000 00:00000000 00000000\n" % (
        local,
        port,
        remote,
        40000,
        state,
    )


def table(*lines: bytes) -> bytes:
    return HEAD + b"".join(lines)


POD_HEX, OTHER_HEX = tcp.encode(POD), tcp.encode(OTHER)
LISTENS = line(POD_HEX, 80, b"00000000", b"0A")


@pytest.mark.skipif(sys.byteorder != "little", reason="the expected text is a little-endian machine's")
def test_addresses_are_written_as_the_kernel_does() -> None:
    assert tcp.encode("127.0.0.1") == b"0100007F"
    assert tcp.encode_mapped("127.0.0.1") == b"0000000000000000FFFF00000100007F"


def test_connections_to_a_port_that_is_listened_on_count() -> None:
    lines = LISTENS, line(POD_HEX, 80, OTHER_HEX, b"01"), line(POD_HEX, 80, OTHER_HEX, b"08")
    assert tcp.count([table(*lines)], POD) == 2


def test_connections_the_pod_opened_itself_do_not_count() -> None:
    assert tcp.count([table(LISTENS, line(POD_HEX, 41000, OTHER_HEX, b"01"))], POD) == 0


def test_connections_within_the_pod_do_not_count() -> None:
    assert tcp.count([table(LISTENS, line(POD_HEX, 80, POD_HEX, b"01"))], POD) == 0


def test_closed_connections_and_other_pods_do_not_count() -> None:
    other_pod = tcp.encode("127.128.0.6")
    lines = LISTENS, line(POD_HEX, 80, OTHER_HEX, b"06"), line(other_pod, 80, OTHER_HEX, b"01")
    assert tcp.count([table(*lines)], POD) == 0


def test_a_server_on_every_address_counts_for_the_pods_own() -> None:
    every = line(b"0" * 32, 80, b"0" * 32, b"0A")
    arrived = line(tcp.encode_mapped(POD), 80, tcp.encode_mapped(OTHER), b"01")
    assert tcp.count([table(), table(every, arrived)], POD) == 1


def test_the_tables_of_a_process_that_is_gone_are_none() -> None:
    assert tcp.tables(2**22 + 1) == []
    assert len(tcp.tables()) >= 1
