"""A joined node's certificate is replaced in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.base.ids import RandomIds
from app.client.http import Unreachable
from app.trust.authority import make_authority, make_client_pair, write_private
from tests.clock import HandClock
from workers.agent.exchange.credentials import AGAIN, Credentials

DAY = 86400.0


class Node:
    """The files of a node, and whoever gives it certificates for a day."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.authority = make_authority("test", self.clock.at)
        self.certificate, self.key = folder / "node.crt", folder / "node.key"
        self.renewed = 0
        self.down = False
        certificate, key = self.obtain()
        self.certificate.write_bytes(certificate)
        write_private(self.key, key)
        self.credentials = Credentials(
            self.certificate, self.key, self.obtain, self.told, self.clock, RandomIds(1)
        )

    def obtain(self) -> tuple[bytes, bytes]:
        if self.down:
            raise Unreachable("away")
        return make_client_pair(self.authority, "system:node:n1", ["system:nodes"], self.clock.at, DAY)

    def told(self) -> None:
        self.renewed += 1


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_certificate_with_time_left_stays(node: Node) -> None:
    before = node.certificate.read_bytes()
    assert 0 < node.credentials.look() <= 3600
    node.clock.move(0.5 * DAY)
    node.credentials.look()
    assert (node.certificate.read_bytes(), node.renewed) == (before, 0)


def test_a_certificate_is_renewed_before_it_ends(node: Node) -> None:
    before = node.key.read_bytes()
    node.clock.move(0.95 * DAY)
    node.credentials.look()
    assert node.renewed == 1
    assert node.key.read_bytes() != before
    assert node.key.stat().st_mode & 0o777 == 0o600


def test_it_is_tried_again_until_it_works(node: Node) -> None:
    node.clock.move(0.95 * DAY)
    node.down = True
    assert node.credentials.look() == AGAIN
    node.down = False
    node.clock.move(AGAIN)
    node.credentials.look()
    assert node.renewed == 1
