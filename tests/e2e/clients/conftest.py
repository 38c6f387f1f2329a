"""One cluster for the client libraries' tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    made = Cluster(Path(tempfile.mkdtemp(prefix="bp-clients-")), "process", BEANPOLE_EXCHANGE="1")
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def kubeconfig(cluster: Cluster) -> str:
    return str(cluster.state / "kubeconfig")
