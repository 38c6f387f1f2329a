"""The engine's stream of events breaks: nothing that happened meanwhile is missed."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest

from tests.e2e.waiting import until
from tests.faults.conftest import node_on
from tests.faults.node import pod
from tests.faults.own_engine import OwnEngine
from tests.faults.proxy import Proxy

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(60)]


def test_a_death_that_falls_into_a_broken_stream_is_noticed(
    faulty: OwnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="bpe-") as folder:
        line = Proxy(Path(folder) / "l", Path(faulty.url.removeprefix("unix://")), lambda *_: None)
        with node_on(faulty, monkeypatch, url=line.url) as node:
            uid = node.started(pod())
            with contextlib.closing(faulty.client()) as client:
                for time in (1, 2):
                    until(lambda: line.cut("/events"), 20, node.tell, every=0.02)
                    client.kill(node.container_id(uid), "SIGKILL")
                    # A second end in a row waits in back-off.
                    node.pass_time(uid, 11.0)
                    until(lambda time=time: node.is_ready(uid, restarts=time), 20, lambda: node.tell(uid))
            assert node.api.ready()["status"] == "True"
        line.close()
