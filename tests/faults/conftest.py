"""An engine for all tests of this folder, and a node on it for each."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.waiting import until
from tests.faults import own_engine, traces
from tests.faults.node import FaultyNode
from tests.faults.own_engine import OwnEngine

_nodes = itertools.count(1)


def free_range() -> str:
    """A range of addresses for one node, by this process and its number among those made here."""
    return f"10.{112 + os.getpid() % 16}.{next(_nodes)}.0/24"


@pytest.fixture(scope="session")
def faulty() -> Iterator[OwnEngine]:
    """The engine, which has the image `tests.images.local.BUSYBOX`. A test leaves it running."""
    lacking = own_engine.lacking()
    if lacking:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have an engine of the tests' own: {lacking}")
        pytest.skip(lacking)
    with own_engine.running_engine() as engine:
        yield engine


@contextlib.contextmanager
def node_on(
    engine: OwnEngine,
    monkeypatch: pytest.MonkeyPatch,
    parent: Path | None = None,
    url: str = "",
    **settings: Any,
) -> Iterator[FaultyNode]:
    """A node that is Ready. After the test and the end of its pods nothing of it may be left on the machine.

    Args:
        parent: where its folder is made. url: how it reaches the engine, if not directly. settings: of its agent.
    """
    monkeypatch.setenv("DOCKER_HOST", url or engine.url)
    folder = Path(tempfile.mkdtemp(prefix="bpf-node-", dir=parent))
    with contextlib.closing(engine.client()) as client:
        before = traces.taken(client, engine.folder, engine.cgroup, folder)
        made = FaultyNode(folder, f"faults{next(_nodes)}", free_range(), **settings)
        try:
            until(lambda: made.api.ready().get("status") == "True", 20, made.tell, every=0.02)
            yield made
            engine.resume()
            made.deleted(*list(made.api.pods))
        finally:
            made.end()
            # What an agent has begun it finishes, and could make the node's network anew.
            engine.resume()
            until(lambda: not made.at_work(), 30, lambda: str(threading.enumerate()), every=0.02)
            made.runtime.remove_node()
            shutil.rmtree(folder)
        after = traces.taken(client, engine.folder, engine.cgroup, folder)
        assert after.beyond(before) == {}


@pytest.fixture
def node(faulty: OwnEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyNode]:
    with node_on(faulty, monkeypatch) as made:
        yield made
